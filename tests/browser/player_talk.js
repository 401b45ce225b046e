// A page with the real player on a real server, whose address stands behind the question mark; behind the # stands the
// session, if there is one.

import { Conversation } from "/player/unavoce-player.js";
import { io } from "/vendor/socket.io.esm.min.js";

const url = decodeURIComponent(location.search.slice(1));
const [log, waiting] = [[], new Set()];
const kept = sessionStorage.getItem("kept");
const resume = kept ? JSON.parse(kept) : undefined;
const sessionId = location.hash.slice(1) || undefined;
const conversation = new Conversation({ io, url, resume, sessionId });
const names = "connection session reply token sentence chunk speaking heard underrun textDone audioDone done error";
for (const name of names.split(" ")) {
  conversation.on(name, (payload) => {
    log.push({ name, ...payload });
    for (const look of waiting) look();
  });
}

/** Resolves when there have been `count` events of this name (and these fields). */
function told(name, fields = {}, count = 1) {
  const fits = (event) => event.name === name && Object.keys(fields).every((field) => event[field] === fields[field]);
  return new Promise((resolve) => {
    const look = () => {
      if (log.filter(fits).length < count) return;
      waiting.delete(look);
      resolve();
    };
    waiting.add(look);
    look();
  });
}

/** As a page does when it goes; returns what was kept. */
function keep() {
  const point = conversation.resumePoint();
  sessionStorage.setItem("kept", JSON.stringify(point));
  return point;
}

document.querySelector("button").addEventListener("click", () => conversation.unlock());
await conversation.connect();
Object.assign(window, { conversation, log, told, keep });
document.querySelector("output").textContent = "ready";
