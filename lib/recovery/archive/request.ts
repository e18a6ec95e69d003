// What can be asked of the archive function: by its schedule nothing, by operators a look, or a full export now.

import * as z from 'zod/mini';
import type { Audit } from '../audit/audit.ts';
import { checkInput } from '../input/check.ts';
import { type ArchiveAnswer, type ArchiveDeps, archiveEvents, archiveStatus, exportNow } from './archive-events.ts';

const text = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));

const REQUEST = z.discriminatedUnion('action', [
  /** One step of the chain. */
  z.strictObject({ action: z.literal('step') }),
  z.strictObject({ action: z.literal('status') }),
  /** A full export of the table as it is now, beside the chain. */
  z.strictObject({
    action: z.literal('export'),
    requestedBy: z.prefault(text(256), 'unknown'),
    reason: z.prefault(text(1_000), 'not given'),
  }),
]);

/** @throws InvalidInputError `INVALID_INPUT` */
export async function answerArchive(
  deps: ArchiveDeps & { audit: Pick<Audit, 'record'> },
  raw: unknown,
  requestId: string,
): Promise<ArchiveAnswer> {
  const request = checkInput(REQUEST, raw, 'archive request');
  if (request.action === 'step') return archiveEvents(deps);
  if (request.action === 'status') return archiveStatus(deps);
  const answer = await exportNow(deps);
  const { requestedBy, reason } = request;
  const outcome = { result: answer.result, clientToken: answer.pending?.clientToken ?? '' };
  await deps.audit.record({ action: 'archive-export', requestedBy, reason, requestId, input: {}, outcome });
  return answer;
}
