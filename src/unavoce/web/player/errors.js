// The errors a caller can meet. Each has a `code` for programs (docs/protocol.md lists the server's own, and README.md
// the player's) and a `message` for people.

/** The server, or the way to it, said no to one request; the conversation goes on. */
export class Refused extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = "Refused";
    this.code = code;
  }
}

/** The server would not have the connection: `unauthorised` where it wants another API key. */
export class ConnectionRefused extends Refused {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(code, message);
    this.name = "ConnectionRefused";
  }
}

/** A chunk's sound cannot be played; the message says why. */
export class SoundError extends Error {
  /** @param {string} message */
  constructor(message) {
    super(message);
    this.name = "SoundError";
  }
}
