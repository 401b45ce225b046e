import assert from "node:assert/strict";
import { test } from "node:test";
import { saysItself, target } from "../../../src/unavoce/web/page/text/links.js";

test("whole http, https and mail addresses may be linked", () => {
  assert.deepEqual(target("https://example.com/a"), { href: "https://example.com/a", host: "example.com" });
  assert.deepEqual(target("HTTP://Example.com:8080"), { href: "http://example.com:8080/", host: "example.com:8080" });
  assert.deepEqual(target("mailto:a@b.example"), { href: "mailto:a@b.example", host: "a@b.example" });
});

test("no other address may", () => {
  const addresses = [
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    " javascript:alert(1)",
    "java\nscript:alert(1)",
    "java\tscript:alert(1)",
    "\u0001javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "blob:https://example.com/1",
    "filesystem:https://example.com/1",
    "about:blank",
    "ftp://example.com",
    "//example.com",
    "/settings",
    "#top",
    "",
    "https:",
    "https:example.com",
    "https://",
    "https://[",
    "http://exa mple.com",
    " https://example.com",
    "view-source:https://example.com",
  ];
  assert.deepEqual(
    addresses.filter((address) => target(address) !== null),
    [],
  );
});

test("a host that looks like another is told apart", () => {
  assert.equal(target("https://аpple.com")?.host, "xn--pple-43d.com");
  assert.equal(target("https://google.com@evil.example")?.host, "evil.example");
  assert.equal(target("https://evil.example\\@google.com")?.host, "evil.example");
});

test("only words that are the address itself need no host beside them", () => {
  const to = target("https://example.com/a");
  assert.ok(to);
  const words = ["https://example.com/a", "example.com/a", "example.com", "Example.com", "a", "https://example.com"];
  assert.deepEqual(
    words.filter((one) => saysItself(one, to)),
    words.slice(0, 4),
  );
  const spoofed = target("https://google.com@evil.example/");
  assert.ok(spoofed);
  assert.equal(saysItself("https://google.com@evil.example/", spoofed), false);
});
