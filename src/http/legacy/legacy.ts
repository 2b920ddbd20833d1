import type { Ask, Call, Fields } from './call.ts';

/** What an old request is today: another request, or an answer in JSON made of the answers to several. */
export type Legacy = { readonly become: Call } | { compose(ask: Ask): Promise<string> };

/**
 * Undefined when today's API takes the request as it is.
 * @param base the path up to the name, such as `/api/2.0/mlflow/`
 * @throws GatewayError INVALID_PARAMETER_VALUE
 */
export type Translate = (fields: Fields, base: string) => Legacy | undefined;
