import { lexer } from "../vendor/marked.esm.js";
import { io } from "../vendor/socket.io.esm.min.js";

const state = /** @type {HTMLElement} */ (document.getElementById("state"));
const socket = io();
socket.on("connect", () => {
  state.textContent = `Connected. ${lexer("Speak.").length}`;
});
socket.on("connect_error", (/** @type {Error} */ error) => {
  state.textContent = error.message;
});
