/*
 * The harvest's pages without JavaScript are forms and links. This adds: the tab key and line numbers in a mapping's
 * text, lines with mistakes marked, and that a second click on a button does not send the form again.
 */
(function () {
  "use strict";

  function indent(area, event) {
    var start = area.selectionStart, end = area.selectionEnd, from = area.value.lastIndexOf("\n", start - 1) + 1;
    event.preventDefault();
    if (!event.shiftKey && start === end) {
      area.setRangeText("  ", start, end, "end");
    } else {
      var lines = area.value.slice(from, end).split("\n").map(function (line) {
        return event.shiftKey ? line.replace(/^ {1,2}/, "") : "  " + line;
      });
      area.setRangeText(lines.join("\n"), from, end, "select");
    }
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /* Tab indents until Escape was pressed: otherwise nobody could leave the text with the keyboard. */
  function tabKey(area) {
    var leaving = false;
    area.addEventListener("keydown", function (event) {
      if (event.key === "Escape") { leaving = true; return; }
      if (event.key === "Tab" && !leaving && !area.readOnly) { indent(area, event); return; }
      if (event.key !== "Shift" && event.key !== "Tab") { leaving = false; }
    });
    area.addEventListener("blur", function () { leaving = false; });
  }

  function numbers(area) {
    var box = document.createElement("div"), gutter = document.createElement("div"), count = 0, wrong = [];
    box.className = "oh-yaml-box";
    gutter.className = "oh-yaml-lines";
    gutter.setAttribute("aria-hidden", "true");
    area.before(box);
    box.append(gutter, area);
    area.wrap = "off";

    function draw() {
      var lines = area.value.split("\n").length;
      while (count < lines) { gutter.append(document.createElement("span")); count += 1; }
      while (count > lines) { gutter.lastChild.remove(); count -= 1; }
      Array.from(gutter.children).forEach(function (line, place) {
        line.textContent = String(place + 1);
        line.classList.toggle("oh-wrong-line", wrong.indexOf(place + 1) !== -1);
      });
    }

    function scroll() { gutter.scrollTop = area.scrollTop; }

    area.addEventListener("input", draw);
    area.addEventListener("scroll", scroll);
    area.markLines = function (lines) { wrong = lines; draw(); scroll(); };
    draw();
  }

  function marked() {
    var area = document.querySelector("[data-yaml]"), errors = document.querySelector("#mapping-errors");
    if (!area || !area.markLines) { return; }
    var lines = errors && errors.dataset.lines ? errors.dataset.lines.split(",").map(Number) : [];
    area.markLines(lines);
    area.setAttribute("aria-invalid", String(Boolean(errors)));
  }

  /* The form stays as it is while it is tried: mistakes of before go from beside its fields, those of now come. */
  function mistakesOfForm(event) {
    if (event.detail.target.id !== "tried") { return; }
    var banner = document.getElementById("mistakes"), form = document.getElementById("source-form");
    if (banner) { banner.remove(); }
    form.querySelectorAll(".oh-error").forEach(function (message) { message.hidden = true; message.textContent = ""; });
    form.querySelectorAll("[aria-invalid]").forEach(function (control) { control.removeAttribute("aria-invalid"); });
    document.querySelectorAll("#tried [data-error-for]").forEach(function (line) {
      var control = document.getElementById(line.dataset.errorFor);
      var message = document.getElementById(line.dataset.errorFor + "-error");
      if (!control || !message) { return; }
      control.setAttribute("aria-invalid", "true");
      message.hidden = false;
      message.textContent = line.dataset.message;
    });
  }

  /* A request that failed is said where its answer would have stood; the run's page simply asks again. */
  function unanswered(event) {
    var target = event.detail.target;
    if (!target || !target.dataset.unanswered) { return; }
    var note = document.createElement("p");
    note.className = "oh-note oh-bad";
    note.textContent = target.dataset.unanswered;
    if (target.firstElementChild && target.firstElementChild.hasAttribute("data-said")) { target.firstElementChild.remove(); }
    note.setAttribute("data-said", "");
    target.prepend(note);
  }

  /* A link to a line puts the cursor there. */
  function goToLine(event) {
    var link = event.target.closest("[data-line]"), area = document.querySelector("[data-yaml]");
    if (!link || !area) { return; }
    event.preventDefault();
    var before = area.value.split("\n").slice(0, Number(link.dataset.line) - 1).join("\n").length;
    var start = before ? before + 1 : 0, end = area.value.indexOf("\n", start);
    area.focus();
    area.setSelectionRange(start, end === -1 ? area.value.length : end);
  }

  function sendOnce(form) {
    var sent = false;
    form.addEventListener("submit", function (event) {
      if (event.submitter && event.submitter.hasAttribute("data-again")) { return; }
      if (sent) { event.preventDefault(); }
      sent = true;
    });
    window.addEventListener("pageshow", function () { sent = false; });
  }

  document.querySelectorAll("[data-yaml]").forEach(function (area) { tabKey(area); numbers(area); });
  document.querySelectorAll("form[data-once]").forEach(sendOnce);
  document.addEventListener("click", goToLine);
  document.addEventListener("htmx:afterSwap", marked);
  document.addEventListener("htmx:afterSwap", mistakesOfForm);
  document.addEventListener("htmx:responseError", unanswered);
  document.addEventListener("htmx:sendError", unanswered);
  marked();
  var mistakes = document.getElementById("mistakes");
  if (mistakes) { mistakes.focus(); }
})();
