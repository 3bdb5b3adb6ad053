// Puts a button on each block of example code; without JavaScript the code can be selected as ever.
document.querySelectorAll(".oh-code[data-copy]").forEach(function (box) {
  var button = document.createElement("button");
  button.type = "button";
  button.textContent = box.dataset.copy;
  button.addEventListener("click", function () {
    navigator.clipboard.writeText(box.querySelector("pre").textContent).then(function () {
      button.textContent = box.dataset.copied;
    });
  });
  if (navigator.clipboard) box.appendChild(button);
});
