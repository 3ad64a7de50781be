// What is wrong with a connection, an answer or the client. index.d.ts lists the codes.
export class ClientError extends Error {
  constructor(code, message, options) {
    super(message, options);
    this.name = 'ClientError';
    this.code = code;
  }
}
