// Stops a reply at its second chunk, then waits for its end.
import { connect, print } from "./connect.js";

const socket = connect(process.argv[2]);
const { sessionId, replyId } = await socket.emitWithAck("chat:send", { message: "Talk" });
let chunks = 0;
socket.on("chat:audio_chunk", () => {
  chunks += 1;
  if (chunks === 2) {
    // A callback, as older programs write it.
    socket.emit("chat:abort", { sessionId, replyId }, (answer) => print("ack chat:abort", answer));
  }
});
socket.on("chat:done", () => socket.disconnect());
