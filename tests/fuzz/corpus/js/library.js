/*! thư viện 1.2 */
(function (w, d) { "use strict";
  var re = /["'\/[\]]+/gi, n = 0x1f + 1.5e-3 / 2, s = 'it\'s \x41\u0042\u{43}';
  if (n) /a b/.test(s) && n++ / 2;
  w.kho = function (a) { return `tin ${a ? `số ${a.so}` : {x: "}"}.x} hết`; };
  <!-- cũ
  d.createElement("script").src = "https:\/\/cdn.example\/x.js"; // hết
}(window, document));
