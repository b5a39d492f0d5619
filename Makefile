#Forwards to tools / ; the build itself is Meson's.
.PHONY : all test lint bench fuzz up install clean all :;
@tools / build test :;
@tools / test lint :;
@tools / lint bench :;
@tools / bench fuzz :;
@tools / fuzz up :;
@tools / up install : all;
@meson install - C build clean :;
@rm - rf build build - *
