/** The page, put together: each part is made here and told of the others it needs. */
import { Conversation } from "../player/unavoce-player.js";
import { io } from "../vendor/socket.io.esm.min.js";
import { Activity } from "./conversation/activity.js";
import { Composer } from "./conversation/composer.js";
import { Follower } from "./conversation/follower.js";
import { Messages } from "./conversation/messages.js";
import { Replies } from "./conversation/replies.js";
import { SessionMemory } from "./conversation/session-memory.js";
import { ConnectionNotice, SoundNotice, Strip } from "./conversation/strip.js";
import { Talk } from "./conversation/talk.js";
import { element } from "./dom.js";
import { storageOf } from "./storage.js";

const memory = new SessionMemory(storageOf("sessionStorage"), storageOf("localStorage"));
const conversation = new Conversation({ io, sessionId: memory.sessionId, resume: memory.takeResumePoint() });
const follower = new Follower(part("conversation"), part("messages"), part("to-end"));
const messages = new Messages(part("messages"), part("conversation"), newReply);
const strip = new Strip(part("strip"));
const activity = new Activity();
const replies = new Replies({ conversation, messages, follower, announce });
const talk = new Talk({ conversation, messages, replies, follower, activity, memory, strip });
const composer = new Composer(
  { form: part("composer"), send: part("send"), stop: part("stop"), problem: part("problem") },
  talk,
);
new ConnectionNotice(conversation, strip);
new SoundNotice(conversation, strip, activity);

activity.watch(({ busy }) => composer.busy(busy));
messages.watch((count) => {
  part("welcome").hidden = count > 0 || talk.restoring;
  part("new").hidden = count === 0;
});
part("new").addEventListener("click", () => talk.startAnew());
for (const button of part("welcome").querySelectorAll("button"))
  button.addEventListener("click", () => composer.say(button.textContent ?? ""));
composer.focus();
// From here on one can write and send; what is sent waits for the rest.
performance.mark("interactive");

// What follows is loaded meanwhile. No reply comes before it is asked for in the end.
const loaded = Promise.all([
  import("./instruments/instruments.js"),
  import("./conversation/reply-message.js"),
  import("./text/reply-text.js"),
]);
loaded.catch(() =>
  strip.show("loading", {
    words: "The page could not be loaded whole. Is the server running? Reload it.",
    level: "bad",
  }),
);
const [{ Instruments }, { ReplyMessage }, { prepare }] = await loaded;
const instruments = new Instruments(conversation);
part("header").append(instruments.header);
part("header").after(instruments.notices);
// Where it cannot be loaded now, the first reply tries again.
conversation.on("connection", ({ state }) => state === "online" && prepare().catch(() => {}));
talk.begin((message, options) => instruments.send(message, options));

/** @param {string} replyId */
function newReply(replyId) {
  return new ReplyMessage(replyId, () => instruments.replyLine(replyId));
}

/**
 * Tells screen readers whole replies, where the text on the page grows word by word. They say what is added; what
 * stayed would only be come upon a second time.
 * @param {string} words
 */
function announce(words) {
  part("announcer").replaceChildren(element("p", {}, words));
}

/**
 * A place in index.html, by its `data-part`.
 * @param {string} name
 * @returns {HTMLElement}
 */
function part(name) {
  const found = document.querySelector(`[data-part="${name}"]`);
  if (!(found instanceof HTMLElement)) throw new Error(`index.html has no part "${name}".`);
  return found;
}
