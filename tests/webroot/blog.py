"""A province's portal on WordPress from Debian: MariaDB, Apache with PHP and the site itself, in a scratch folder, each a
process of our own that is ended by its number. Standard library only.
"""
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import xmlrpc.client

import website
from website import stage, wait_for, write

SOURCE = "/usr/share/wordpress"
USER, PASSWORD = "bien-tap", "mot-mat-khau-dai"
TITLE = "Cổng thông tin điện tử xã An Hòa"
HEADER = """<!doctype html><html lang="vi"><head><meta charset="utf-8"><title><?php bloginfo('name'); ?></title>
<link rel="stylesheet" href="<?php echo get_stylesheet_uri(); ?>"><?php wp_head(); ?></head><body>
<h1><?php bloginfo('name'); ?></h1><nav><a href="/?p=1">Giới thiệu</a> <a href="/?page_id=2">Thủ tục hành chính</a></nav><main>
"""
INDEX = """<?php get_header(); while (have_posts()) { the_post(); ?>
<article><h2><a href="<?php the_permalink(); ?>"><?php the_title(); ?></a></h2><p><?php the_time('d/m/Y'); ?></p><?php the_content(); ?></article>
<?php } get_footer();
"""
FOOTER = """</main><footer>Địa chỉ: thôn Đông, xã An Hòa. Điện thoại: 0254 000 000. Lượt xem: <?php echo rand(); ?></footer>
<?php wp_footer(); ?></body></html>
"""
# As search-engine plugins do: text of the editor's choice for crawlers alone. It is honest until the database is not.
CRAWLERS = """<?php /* Plugin Name: Search texts */
add_action('wp_footer', function () {
    if (strpos($_SERVER['HTTP_USER_AGENT'] ?? '', 'Googlebot') !== false) { echo get_option('search_text', ''); }
});
"""
CONFIG = """<?php
define('DB_NAME', 'wordpress'); define('DB_USER', 'wordpress'); define('DB_PASSWORD', ''); define('DB_HOST', 'localhost:{socket}');
define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
foreach (['AUTH_KEY', 'SECURE_AUTH_KEY', 'LOGGED_IN_KEY', 'NONCE_KEY', 'AUTH_SALT', 'SECURE_AUTH_SALT', 'LOGGED_IN_SALT', 'NONCE_SALT']
         as $name) {{ define($name, 'of the test: ' . $name); }}
$table_prefix = 'wp_';
define('WP_DEFAULT_THEME', 'an-hoa'); define('WP_HTTP_BLOCK_EXTERNAL', true); define('DISABLE_WP_CRON', true);
define('AUTOMATIC_UPDATER_DISABLED', true);
if (!defined('ABSPATH')) {{ define('ABSPATH', __DIR__ . '/'); }}
require_once ABSPATH . 'wp-settings.php';
"""
APACHE = """ServerRoot {folder}
ServerName an-hoa.test
PidFile {folder}/apache.pid
ErrorLog {folder}/apache.err
Listen 127.0.0.1:{port}
LoadModule mpm_prefork_module {modules}/mod_mpm_prefork.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule mime_module {modules}/mod_mime.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule php_module {modules}/{php}
User www-data
Group www-data
TypesConfig /etc/mime.types
StartServers 2
DirectoryIndex index.php
php_admin_value session.save_path {folder}
php_admin_value upload_tmp_dir {folder}
php_admin_value sendmail_path /bin/true
<FilesMatch "\\.php$">
SetHandler application/x-httpd-php
</FilesMatch>
<Directory {root}>
AllowOverride All
</Directory>
DocumentRoot {root}
"""
NEWS = ["Sáng nay, Ủy ban nhân dân xã đã tổ chức hội nghị triển khai nhiệm vụ công tác quý tới.",
        "Lịch tiếp công dân định kỳ vào thứ năm hằng tuần tại trụ sở xã.",
        "Kế hoạch tiêm chủng cho trẻ em trong năm học mới được niêm yết tại trạm y tế."]


class Blog(website.Site):
    """What website.Site can do, over a document root that WordPress fills and a database that it reads."""

    left_out = ("wp-content/uploads",)

    def __init__(self, mount):
        self.mount, self.root = mount, os.path.join(mount, "www")
        self.store, self.folder = os.path.join(mount, "store-www"), os.path.join(mount, "agent-www")
        self.servers = os.path.join(mount, "servers")
        self.socket = os.path.join(self.servers, "db.sock")
        self.started = []
        os.chmod(os.path.dirname(mount), 0o711)  # the servers run as www-data, and name what is theirs by its whole path
        os.mkdir(self.servers)
        shutil.chown(self.servers, "www-data", "www-data")
        shutil.copytree(SOURCE, self.root, symlinks=True)
        self.fill()

    def fill(self):
        theme = "wp-content/themes/an-hoa"
        for folder in (theme, "wp-content/mu-plugins", "wp-content/uploads"):
            os.makedirs(self.path(folder), exist_ok=True)
        write(self.path(theme + "/style.css"), "/* Theme Name: An Hòa */ body { color: #222 }\n".encode())
        for name, text in (("header", HEADER), ("index", INDEX), ("footer", FOOTER)):
            write(self.path(f"{theme}/{name}.php"), text.encode())
        write(self.path("wp-content/mu-plugins/search-texts.php"), CRAWLERS.encode())
        os.unlink(self.path("wp-config.php"))
        write(self.path("wp-config.php"), CONFIG.format(socket=self.socket).encode())
        for folder, names, files in os.walk(self.root):
            for name in [*names, *files]:
                os.lchown(os.path.join(folder, name), 33, 33)

    # ---- servers

    def start(self, what, command, is_up):
        log = os.path.join(self.servers, what + ".log")
        with open(log, "wb") as file:
            # Apache signals its whole group when it ends: it must be a group of its own.
            process = subprocess.Popen(command, cwd=self.servers, stdin=subprocess.DEVNULL, stdout=file, stderr=file,
                                       start_new_session=True)
        self.started.append(process)
        stage.guard.tell("add", "work", process.pid)
        if not wait_for(is_up, pause=0.05):
            with open(log, encoding="utf-8", errors="replace") as file:
                raise RuntimeError(f"{what} does not answer: {file.read()[-2000:]}")

    def serve(self, port):
        data = os.path.join(self.servers, "db")
        os.mkdir(data)
        shutil.chown(data, "www-data", "www-data")
        self.start("mariadb", ["mariadbd", "--no-defaults", "--user=www-data", "--datadir=" + data, "--socket=" + self.socket,
                               "--pid-file=" + os.path.join(self.servers, "db.pid"), "--skip-networking", "--skip-grant-tables",
                               "--innodb-log-file-size=8M", "--innodb-buffer-pool-size=32M"],
                   lambda: self.sql("SELECT 1", database="", check=False) == "1")
        self.sql("CREATE DATABASE wordpress CHARACTER SET utf8mb4", database="")
        modules = "/usr/lib/apache2/modules"
        php = next(name for name in sorted(os.listdir(modules)) if name.startswith("libphp"))
        config = os.path.join(self.servers, "apache.conf")
        write(config, APACHE.format(folder=self.servers, port=port, modules=modules, php=php, root=self.root).encode())
        self.url = f"http://127.0.0.1:{port}/"
        self.start("apache", ["apache2", "-DFOREGROUND", "-f", config], lambda: self.status("readme.html") == 200)

    def close(self):
        for process in reversed(self.started):
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            stage.guard.tell("drop", "work", process.pid)

    # ---- as people see it

    def get(self, path="", agent="Mozilla/5.0"):
        request = urllib.request.Request(self.url + path, headers={"User-Agent": agent})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read().decode("utf-8", "replace")

    def status(self, path):
        try:
            with urllib.request.urlopen(self.url + path, timeout=30) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    # ---- as the editor works

    def install(self):
        form = {"weblog_title": TITLE, "user_name": USER, "admin_password": PASSWORD, "admin_password2": PASSWORD, "pw_weak": "on",
                "admin_email": "bien-tap@an-hoa.test", "blog_public": "1", "language": ""}
        with urllib.request.urlopen(self.url + "wp-admin/install.php?step=2", urllib.parse.urlencode(form).encode(), 60) as answer:
            text = answer.read().decode("utf-8", "replace")
        if "wp-login.php" not in text:
            raise RuntimeError("WordPress was not installed: " + text[-1500:])
        for number, words in enumerate(NEWS):
            self.post(f"Tin số {number + 1}", words)

    def editor(self, method, content):
        with xmlrpc.client.ServerProxy(self.url + "xmlrpc.php") as server:
            return getattr(server.wp, method)(1, USER, PASSWORD, content)

    def post(self, title, words):
        return self.editor("newPost", {"post_type": "post", "post_status": "publish", "post_title": title, "post_content": words})

    def picture(self, name, content):
        """Uploaded as the editor does; its path below the root."""
        told = self.editor("uploadFile", {"name": name, "type": "image/png", "bits": xmlrpc.client.Binary(content)})
        return urllib.parse.urlsplit(told["url"]).path.lstrip("/")

    # ---- as whoever holds the database

    def sql(self, words, database="wordpress", check=True):
        done = subprocess.run(["mariadb", "--no-defaults", "--socket=" + self.socket, "--default-character-set=utf8mb4", "-N", "-B", "-e",
                               words, *([database] if database else [])], capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        if check and done.returncode != 0:
            raise RuntimeError(f"{words[:60]}: {done.stderr.decode()}")
        return done.stdout.decode().strip()
