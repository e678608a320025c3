// Keys go to the terminal as soon as there is one, and again when the person comes back to the window.
const focus = () => document.querySelector(".xterm-helper-textarea")?.focus();
addEventListener("load", () => setTimeout(focus));
addEventListener("focus", focus);

// A network that is gone tells nobody: a server that does not answer for two turns is as good as gone.
const ASK_EVERY_MS = 15000;
const Socket = WebSocket;
window.WebSocket = class extends Socket {
  constructor(...address) {
    super(...address);
    let unanswered = 0;
    const asking = setInterval(() => {
      if (++unanswered > 2) {
        clearInterval(asking);
        document.body.classList.add("-closed");
        this.close();
      } else if (this.readyState === Socket.OPEN) {
        this.send(JSON.stringify(["ping", `${Date.now()}`]));
      }
    }, ASK_EVERY_MS);
    this.addEventListener("message", () => (unanswered = 0));
    this.addEventListener("close", () => clearInterval(asking));
  }
};
