"use strict";
// Countries of the login methods: a search over the list, and the ones shown first in an order to drag.
// Without this file they are checkboxes, and numbers that say the place.
(() => {
  const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

  function searchable(box) {
    const search = box.querySelector("[data-search]"), only = box.querySelector("[data-chosen-only]");
    const count = box.querySelector("[data-count]"), rows = [...box.querySelectorAll("li")];
    const all = document.getElementById("id_all_countries");
    const allowed = (row) => row.querySelector(".country input");
    const words = new Map(rows.map((row) => [row, fold(row.dataset.words)]));
    const update = () => {
      const typed = fold(search.value).split(/\s+/).filter(Boolean);
      for (const row of rows) {
        const misses = typed.some((word) => !words.get(row).includes(word));
        row.hidden = misses || (only.checked && !allowed(row).checked);
      }
      const chosen = rows.filter((row) => allowed(row).checked).length;
      count.textContent = all?.checked ? count.dataset.all : count.dataset.text.replace("{chosen}", chosen);
      // Those of the list are no choice then; networks still are.
      for (const row of rows) allowed(row).disabled = Boolean(all?.checked) && !("network" in allowed(row).dataset);
    };
    search.addEventListener("input", update);
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault(); // it would save the form
    });
    only.addEventListener("change", update);
    box.addEventListener("change", update);
    all?.addEventListener("change", update);
    update();
  }

  class Pinned {
    constructor(box, list) {
      this.box = box;
      this.list = list;
      this.rows = box.querySelector("ol");
      this.said = box.querySelector("[data-said]");
      for (const row of this.rows.children) this.arm(row);
      list.addEventListener("change", (event) => {
        if (!event.target.matches("[data-pin]")) return;
        if (event.target.checked) this.add(event.target);
        else this.row(event.target.value)?.remove();
        this.number();
      });
      this.rows.addEventListener("dragover", (event) => this.dragOver(event));
      this.rows.addEventListener("drop", (event) => event.preventDefault());
      this.number();
    }

    row(code) {
      return this.rows.querySelector(`[data-code="${code}"]`);
    }

    add(pin) {
      if (this.row(pin.value)) return;
      const row = this.box.querySelector("template").content.firstElementChild.cloneNode(true);
      const source = pin.closest("li"), name = source.querySelector("[data-name]").textContent;
      row.dataset.code = pin.value;
      row.querySelector("[data-name]").textContent = name;
      row.querySelector(".flag").textContent = source.querySelector(".flag").textContent;
      row.querySelector(".place input").name = `${this.box.dataset.name}-${pin.value}`;
      row.querySelector(".place .sr-only").textContent += name;
      for (const button of row.querySelectorAll("button")) button.setAttribute("aria-label", button.getAttribute("aria-label") + name);
      this.arm(row);
      this.rows.append(row);
    }

    arm(row) {
      for (const item of row.querySelectorAll("[data-scripts]")) item.hidden = false;
      row.querySelector(".place").hidden = true;
      row.draggable = true;
      row.addEventListener("dragstart", (event) => {
        row.classList.add("is-dragged");
        event.dataTransfer.effectAllowed = "move";
        event.dataTransfer.setData("text/plain", row.dataset.code);
      });
      row.addEventListener("dragend", () => {
        row.classList.remove("is-dragged");
        this.number();
        this.say(row);
      });
      row.addEventListener("click", (event) => this.click(row, event.target.closest("button")));
      row.addEventListener("keydown", (event) => {
        const step = {ArrowUp: -1, ArrowDown: 1}[event.key];
        if (step) {
          event.preventDefault();
          this.move(row, step);
        }
      });
    }

    click(row, button) {
      if (!button) return;
      if (button.dataset.move) {
        this.move(row, Number(button.dataset.move));
        if (!button.disabled) button.focus();
        return;
      }
      const next = row.nextElementSibling || row.previousElementSibling;
      this.list.querySelector(`[data-pin][value="${row.dataset.code}"]`).checked = false;
      row.remove();
      this.number();
      next?.querySelector("[data-remove]").focus();
    }

    move(row, step) {
      const other = step < 0 ? row.previousElementSibling : row.nextElementSibling;
      if (!other) return;
      const focused = row.contains(document.activeElement) ? document.activeElement : null;
      if (step < 0) other.before(row);
      else other.after(row);
      this.number();
      this.say(row);
      (focused?.disabled ? row.querySelector("button:not(:disabled)") : focused)?.focus();
    }

    dragOver(event) {
      const dragged = this.rows.querySelector(".is-dragged"), over = event.target.closest("li");
      if (!dragged) return;
      event.preventDefault();
      if (!over || over === dragged) return;
      const box = over.getBoundingClientRect();
      if (event.clientY < box.top + box.height / 2) over.before(dragged);
      else over.after(dragged);
    }

    number() {
      const rows = [...this.rows.children];
      rows.forEach((row, index) => {
        row.querySelector(".place input").value = index + 1;
        row.querySelector('[data-move="-1"]').disabled = index === 0;
        row.querySelector('[data-move="1"]').disabled = index === rows.length - 1;
      });
      this.box.querySelector("[data-none]").hidden = rows.length > 0;
    }

    say(row) {
      const rows = [...this.rows.children];
      this.said.textContent = this.said.dataset.text.replace("{name}", row.querySelector("[data-name]").textContent)
        .replace("{place}", rows.indexOf(row) + 1).replace("{all}", rows.length);
    }
  }

  document.addEventListener("DOMContentLoaded", () => {
    const list = document.querySelector("[data-countries]"), pinned = document.querySelector("[data-pinned]");
    if (!list || !pinned) return;
    searchable(list);
    new Pinned(pinned, list);
  });
})();
