"use strict";
// The frame of all admin pages: landmarks for those who do not see it.
document.addEventListener("DOMContentLoaded", () => {
  document.getElementById("main")?.setAttribute("role", "main");
  document.getElementById("nav-sidebar-inner")?.setAttribute("aria-label", document.title.split("|").pop().trim());
});
