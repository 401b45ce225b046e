// Loses its connection at the second chunk (the transport is destroyed, nobody is told) and comes back for the rest.
import { connect, print } from "./connect.js";

const url = process.argv[2];
const first = connect(url, { transports: ["websocket"] });
const { sessionId, replyId } = await first.emitWithAck("chat:send", { message: "Talk" });
let last = -1;
first.on("chat:audio_chunk", ({ index }) => {
  last = index;
  if (index === 1) first.io.engine.transport.ws._socket.destroy();
});
first.on("disconnect", async (reason) => {
  print("lost", { reason, last });
  const second = connect(url, { transports: ["websocket"] });
  second.on("chat:done", () => second.disconnect());
  print("ack chat:join", await second.emitWithAck("chat:join", { sessionId, after: { [replyId]: last } }));
});
