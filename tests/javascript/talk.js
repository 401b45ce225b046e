// Sends one message and prints what comes, one JSON object a line; binary as its type and length.
import { connect, print } from "./connect.js";

const [url, message, options] = process.argv.slice(2);
const socket = connect(url);
socket.on("chat:done", async ({ sessionId }) => {
  const history = await socket.emitWithAck("chat:history", { sessionId });
  print("ack chat:history", history);
  socket.disconnect();
});
print("ack chat:send", await socket.emitWithAck("chat:send", { message, ...JSON.parse(options ?? "{}") }));
