import { io } from "socket.io-client";

export function print(name, payload) {
  const shown = (_, value) =>
    value?.type === "Buffer" ? { binary: "Buffer", base64: Buffer.from(value.data).toString("base64") } : value;
  process.stdout.write(`${JSON.stringify([name, payload], shown)}\n`);
}

export function connect(url, options) {
  const socket = io(url, { reconnection: false, ...options });
  socket.onAny((name, payload) => {
    if (payload?.audio !== undefined && !Buffer.isBuffer(payload.audio)) throw new Error("audio is not binary");
    print(name, payload);
  });
  socket.on("connect_error", (error) => {
    print("connect_error", { message: error.message, data: error.data });
    process.exit(0);
  });
  return socket;
}
