"use strict";
(() => {
  // A file may be dropped anywhere on the form; all else works without this, too.
  const form = document.getElementById("form"), file = document.getElementById("file");
  const send = document.getElementById("send"), busy = document.getElementById("busy");
  const holdsFile = event => event.dataTransfer !== null && event.dataTransfer.types.includes("Files");
  for (const name of ["dragenter", "dragover", "dragleave", "drop"]) {
    form.addEventListener(name, event => {
      if (!holdsFile(event)) return;
      event.preventDefault();
      form.classList.toggle("over", name === "dragenter" || name === "dragover");
    });
  }
  form.addEventListener("drop", event => {
    if (!holdsFile(event)) return;
    file.files = event.dataTransfer.files;
    file.focus();
    busy.textContent = "";
  });
  form.addEventListener("submit", () => {
    send.disabled = true;
    busy.textContent = "Reading …";
  });
  addEventListener("pageshow", () => { // also when one comes back to it
    send.disabled = false;
    busy.textContent = "";
  });
})();
