/* Keys for reading, and nothing else: every page works without this file. Off at a press in the dialog (WCAG 2.1.4). */
"use strict";
(() => {
  const dialog = document.getElementById("keys");
  if (!dialog || !dialog.showModal) return;
  document.documentElement.classList.add("has-script");
  const wanted = dialog.querySelector("input");
  const stored = (value) => {
    try {
      if (value !== undefined) localStorage.setItem("keys", value);
      return localStorage.getItem("keys");
    } catch {
      return null; // A browser may forbid to keep anything.
    }
  };
  wanted.checked = stored() !== "off";
  wanted.addEventListener("change", () => stored(wanted.checked ? "on" : "off"));
  document.querySelector("[data-keys]").addEventListener("click", () => dialog.showModal());

  const step = (by) => {
    const stops = [...document.querySelectorAll(".post, .row")];
    const focused = stops.findIndex((stop) => stop.contains(document.activeElement));
    const shown = stops.findIndex((stop) => stop.getBoundingClientRect().bottom > 8);
    const next = stops[focused >= 0 ? focused + by : by > 0 ? shown : shown - 1];
    if (!next) return;
    const target = next.classList.contains("post") ? next : next.querySelector("a");
    target.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  const follow = (selector) => document.querySelector(selector)?.click();
  const keys = {
    j: () => step(1),
    k: () => step(-1),
    n: () => follow("a[rel=next]"),
    p: () => follow("a[rel=prev]"),
    u: () => follow(".crumbs a:last-of-type"),
    "/": () => document.querySelector("input[type=search]")?.focus(),
    "?": () => dialog.showModal(),
  };
  document.addEventListener("keydown", (event) => {
    if (!wanted.checked || dialog.open || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const act = keys[event.key];
    if (act) {
      event.preventDefault();
      act();
    }
  });
})();
