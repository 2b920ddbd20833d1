/** The backend answered, but not with what was asked for: its own status and body, to be relayed as they are. */
export class BackendAnswer extends Error {
  override readonly name = 'BackendAnswer';
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;

  constructor(status: number, contentType: string, body: Buffer) {
    super(`The MLflow server answered ${status}: ${body.toString('utf8', 0, 200)}`);
    this.status = status;
    this.contentType = contentType;
    this.body = body;
  }
}
