// `event-recovery gaps`: what the newest scan found, or with --scan what there is now. Exit code 1 when a consumer has gaps or
// nobody can say.

import { EventRecoveryError } from '../../model/errors.ts';
import type { ScanResult } from '../../recovery/gap/port.ts';
import type { LastScan } from '../../recovery/gap/request.ts';
import type { ScanOutcome } from '../../recovery/gap/scan.ts';
import type { RegisterCommand } from '../command.ts';
import { EXIT } from '../exit-codes.ts';
import { oneLine, table } from '../output.ts';

const GAPS_SHOWN = 20;

export const registerGaps: RegisterCommand = (program, run) => {
  program
    .command('gaps')
    .description('what consumers never got, by the newest scan')
    .option('--scan', 'scan now, and wake up the consumers of gaps')
    .option('--dry-run', 'with --scan: wake up nobody')
    .action((options: { scan?: boolean; dryRun?: boolean }, command) =>
      run(command, async ({ deployment, output, requestedBy }) => {
        const input = options.scan
          ? { dryRun: options.dryRun ?? false, requestedBy, reason: 'event-recovery gaps --scan' }
          : { last: true };
        if (options.scan) output.progress('scanning ...');
        const answer = await deployment.invoke<ScanOutcome | LastScan>('scan-gaps', input);
        if (answer.kind === 'another-scan-runs') {
          throw new EventRecoveryError(
            'LEASE_HELD',
            `another scan is at work until ${new Date(answer.until).toISOString()} at the latest; remedy: npx event-recovery gaps`,
            { facts: { until: answer.until } },
          );
        }
        const { result } = answer;
        output.result(result ?? null, (found) => (found === null ? 'No scan has finished yet.' : show(found)));
        const isWell = result?.consumers.every(({ state }) => state === 'complete' || state === 'lagging');
        if (isWell) return EXIT.ok;
        output.next('npx event-recovery gaps --scan');
        return EXIT.findings;
      }),
    );
};

function show(result: ScanResult): string {
  const header = ['consumer', 'state', 'gaps', 'events', 'lagging', 'lag in s', 'parked', 'woken up'];
  const rows = result.consumers.map((of) => [
    of.consumer,
    of.state,
    of.gaps,
    of.gapEvents,
    of.lagging,
    of.lagSeconds,
    of.parked,
    of.wakeUps,
  ]);
  const gaps = result.consumers
    .flatMap(({ listed }) => listed)
    .slice(0, GAPS_SHOWN)
    .map((gap) =>
      oneLine(`  ${gap.consumer} ${gap.streamId}: versions ${gap.from} to ${gap.to}, ${gap.oldestAgeSeconds} s old`),
    );
  const backfills = result.consumers.flatMap(({ consumer, backfill }) =>
    backfill ? [oneLine(`  ${consumer}: a backfill of ${backfill.eventTypes.join(', ')} is planned`)] : [],
  );
  const waiting = result.consumers.flatMap(({ consumer, notPlanned }) =>
    notPlanned ? [oneLine(`  ${consumer}: nobody was woken up, its fill could not be planned: ${notPlanned}`)] : [],
  );
  const scanned = `Scanned at ${new Date(result.startedAt).toISOString()} up to position ${result.scannedTo}; the log is ${
    result.logLagMs === undefined ? 'behind by nobody knows how much' : `${result.logLagMs} ms behind`
  }.`;
  return [table(header, rows), '', scanned, ...gaps, ...waiting, ...backfills].join('\n');
}
