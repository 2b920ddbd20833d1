/**
 * Where MLflow's handlers fail over input they did not expect, and its web framework answers 500 with a page in HTML.
 * Clients of MLflow retry a 500, so an imitation must not turn it into something else.
 */
export class ServerFault extends Error {
  override readonly name = 'ServerFault';
}
