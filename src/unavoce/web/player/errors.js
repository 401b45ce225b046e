// Errors with a `code` for programs (docs/protocol.md lists the server's, README.md the player's) and a `message` for people.

/** The server, or the way to it, said no to one request; the conversation goes on. */
export class Refused extends Error {
  /** @param {string} code @param {string} message */
  constructor(code, message) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The server would not have the connection: `unauthorised` where it wants another API key. */
export class ConnectionRefused extends Refused {}
