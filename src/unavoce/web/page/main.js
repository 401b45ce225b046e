/** The page, put together: each part is made here and told of the others it needs. */
import { Conversation } from "../player/unavoce-player.js";
import { io } from "../vendor/socket.io.esm.min.js";
import { Activity } from "./conversation/activity.js";
import { Announcer } from "./conversation/announcer.js";
import { Composer } from "./conversation/composer.js";
import { ConnectionNotice } from "./conversation/connection-notice.js";
import { Follower } from "./conversation/follower.js";
import { Messages } from "./conversation/messages.js";
import { part } from "./conversation/parts.js";
import { Replies } from "./conversation/replies.js";
import { SessionMemory } from "./conversation/session-memory.js";
import { SoundNotice } from "./conversation/sound-notice.js";
import { Strip } from "./conversation/strip.js";
import { Talk } from "./conversation/talk.js";
import { Welcome } from "./conversation/welcome.js";
import { Instruments } from "./instruments.js";
import { storageOf } from "./settings.js";

const memory = new SessionMemory(storageOf("sessionStorage"), storageOf("localStorage"));
const conversation = new Conversation({ io, sessionId: memory.sessionId, resume: memory.takeResumePoint() });
const instruments = new Instruments(conversation);
part("header").append(instruments.header);
part("header").after(instruments.notices);

const follower = new Follower(part("conversation"), part("messages"), part("to-end"));
const messages = new Messages(part("messages"), part("conversation"), (replyId) => instruments.replyLine(replyId));
const strip = new Strip(part("strip"));
const activity = new Activity();
const replies = new Replies({ conversation, messages, announcer: new Announcer(part("announcer")) });
const talk = new Talk({ conversation, instruments, messages, replies, follower, activity, memory, strip });
const composer = new Composer(part("composer"), part("problem"), talk);
const welcome = new Welcome(part("welcome"), (message) => composer.say(message));
new ConnectionNotice(conversation, strip);
new SoundNotice(conversation, strip, activity);

activity.watch(({ busy }) => composer.busy(busy));
messages.watch((count) => {
  welcome.visible = count === 0 && !talk.restoring;
  part("new").hidden = count === 0;
});
part("new").addEventListener("click", () => talk.startAnew());
talk.begin();
composer.focus();
