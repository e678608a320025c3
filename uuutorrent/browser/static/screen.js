// Keys go to the terminal as soon as there is one, and again when the person comes back to the window.
const focus = () => document.querySelector(".xterm-helper-textarea")?.focus();
addEventListener("load", () => setTimeout(focus));
addEventListener("focus", focus);
