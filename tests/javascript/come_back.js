// Loses its connection at the second chunk (the transport is destroyed, nobody is told) and comes back for the rest.
import { connect, print } from "./connect.js";

const url = process.argv[2];
const first = connect(url, { transports: ["websocket"] });
let last = -1;
// Listening before asking: the first chunks may come in the same breath as the acknowledgement.
first.on("chat:audio_chunk", ({ index }) => {
  last = index;
  if (index === 1) first.io.engine.transport.ws._socket.destroy();
});
const sent = first.emitWithAck("chat:send", { message: "Talk" });
first.on("disconnect", async (reason) => {
  print("lost", { reason, last });
  const { sessionId, replyId } = await sent;
  const second = connect(url, { transports: ["websocket"] });
  second.on("chat:done", () => second.disconnect());
  print("ack chat:join", await second.emitWithAck("chat:join", { sessionId, after: { [replyId]: last } }));
});
