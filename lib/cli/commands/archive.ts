// `event-recovery archive` says what the archive covers, and makes a full export now. Exit code 1 when it is behind or exports fail.

import type { ArchiveAnswer } from '../../recovery/archive/archive-events.ts';
import type { RegisterCommand } from '../command.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { oneLine } from '../output.ts';

const FUNCTION = 'archive-events';
/** As the alarm has it: six hours. */
const BEHIND_SECONDS = 6 * 60 * 60;

export const registerArchive: RegisterCommand = (program, run) => {
  const archive = program.command('archive').description('the exports of the Events table in S3');

  archive
    .command('status')
    .description('what the archive covers, what is under way, why the last export failed')
    .action((_options, command) =>
      run(command, async ({ deployment, output }) => {
        const answer = await deployment.invoke<ArchiveAnswer>(FUNCTION, { action: 'status' });
        output.result(answer, show);
        return exitOf(answer);
      }),
    );

  archive
    .command('export')
    .description('a full export of the table as it is now, beside the chain')
    .option('--reason <text>', 'for the audit')
    .action(({ reason }: { reason?: string }, command) =>
      run(command, async ({ deployment, output, requestedBy }) => {
        const answer = await deployment.invoke<ArchiveAnswer>(FUNCTION, { action: 'export', requestedBy, reason });
        output.result(answer, show);
        output.next('npx event-recovery archive status');
        return answer.result === 'failed' ? EXIT.findings : EXIT.ok;
      }),
    );
};

const exitOf = ({ failures, lagSeconds = Number.POSITIVE_INFINITY }: ArchiveAnswer): ExitCode =>
  failures > 0 || lagSeconds > BEHIND_SECONDS ? EXIT.findings : EXIT.ok;

function show({ coveredTo, lagSeconds, pending, failures, lastFailure }: ArchiveAnswer): string {
  const time = (ms: number): string => new Date(ms).toISOString();
  return [
    coveredTo === undefined
      ? 'there is no completed export yet'
      : `covered up to ${time(coveredTo)}, ${lagSeconds} seconds ago`,
    ...(pending === undefined
      ? []
      : [`under way since ${time(pending.requestedAt)}: ${pending.kind} export up to ${time(pending.to)}`]),
    ...(failures === 0 ? [] : [oneLine(`failed ${failures} times: ${lastFailure ?? ''}`)]),
  ].join('\n');
}
