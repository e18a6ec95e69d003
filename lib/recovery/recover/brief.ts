// How the functions that repair answer the workflow: an operator's answer lists streams, commits and dead letters and may have
// megabytes, a state has 256 KiB. A request with `"brief": true` gets what the workflow hears, and nothing else of it.

import type { Repair } from './jobs.ts';
import { type BriefError, heardOf } from './operations.ts';

/**
 * Around an operation's function. A request without `brief` is passed on as it is.
 * @example export const handler = lambdaPipeline(briefly('redrive', (event, context) => ...), observability);
 */
export const briefly =
  <Context, Answer>(repair: Repair, run: (event: unknown, context: Context) => Promise<Answer>) =>
  async (event: unknown, context: Context): Promise<Answer | object> => {
    const { brief, ...request } = (event ?? {}) as { brief?: unknown };
    if (brief !== true) return run(event, context);
    const answer = await run(request, context);
    const { error } = answer as { error?: BriefError };
    if (error === undefined) return heardOf(repair, answer);
    const { code, message, facts } = error;
    return { error: { code, message: message.slice(0, MESSAGE_MAX), facts: { replayId: facts?.replayId } } };
  };

/** Characters of an error's sentence. */
const MESSAGE_MAX = 1_000;
