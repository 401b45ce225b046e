import { lexer } from "../vendor/marked.esm.js";
import { io } from "../vendor/socket.io.esm.min.js";

const state = document.getElementById("state");
const socket = io();
socket.on("connect", () => {
  state.textContent = `Connected. ${lexer("Speak.").length}`;
});
socket.on("connect_error", (error) => {
  state.textContent = error.message;
});
