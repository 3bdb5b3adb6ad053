/*
 * The items table of an entry's form: add and remove rows, and paste rows from a spreadsheet.
 * The server orders rows by number and leaves blank ones out, so numbers only grow and nothing is renumbered.
 */
(function () {
  "use strict";

  function controls(row) {
    return Array.from(row.querySelectorAll("input, select"));
  }

  function blank(row) {
    return controls(row).every(function (control) { return !control.value; });
  }

  function setUp(box) {
    var body = box.querySelector("tbody");
    var pattern = box.querySelector("template");
    var next = body.rows.length;

    function add() {
      var holder = document.createElement("tbody");
      holder.innerHTML = pattern.innerHTML.replaceAll("NUMBER", String(next));
      var row = holder.rows[0];
      next += 1;
      body.append(row);
      ready(row);
      number();
      return row;
    }

    function number() {
      Array.from(body.rows).forEach(function (row, place) {
        row.querySelector(".oh-item-number").textContent = String(place + 1);
      });
    }

    function ready(row) {
      var button = row.querySelector(".oh-item-remove");
      button.hidden = false;
      button.addEventListener("click", function () {
        var beside = row.nextElementSibling || row.previousElementSibling;
        row.remove();
        if (!beside) { beside = add(); }
        number();
        controls(beside)[0].focus();
      });
    }

    function fill(control, text) {
      if (control.tagName !== "SELECT") {
        control.value = text;
        return;
      }
      var wanted = text.trim().toLowerCase();
      var option = Array.from(control.options).find(function (each) {
        return each.value.toLowerCase() === wanted || each.text.trim().toLowerCase() === wanted;
      });
      if (option) { control.value = option.value; }
    }

    body.addEventListener("paste", function (event) {
      var text = event.clipboardData.getData("text/plain").replace(/\r\n?/g, "\n").replace(/\n$/, "");
      if (!/[\t\n]/.test(text)) { return; }
      event.preventDefault();
      var row = event.target.closest("tr");
      var first = controls(row).indexOf(event.target);
      text.split("\n").forEach(function (line) {
        row = row || add();
        var cells = controls(row).slice(first);
        line.split("\t").slice(0, cells.length).forEach(function (value, place) { fill(cells[place], value); });
        row = row.nextElementSibling;
      });
    });

    var button = box.querySelector(".oh-item-add");
    button.hidden = false;
    button.addEventListener("click", function () {
      var waiting = Array.from(body.rows).find(blank);
      controls(waiting || add())[0].focus();
    });
    Array.from(body.rows).forEach(ready);
  }

  /* A second click would send the form again: the first has taken the title, so the second would be told it is taken. */
  function sendOnce(form) {
    var sent = false;
    form.addEventListener("submit", function (event) {
      if (sent) { event.preventDefault(); }
      sent = true;
    });
    window.addEventListener("pageshow", function () { sent = false; });
  }

  document.querySelectorAll("[data-openhuizhou-items]").forEach(setUp);
  document.querySelectorAll(".oh-entry-form").forEach(sendOnce);
})();
