// Which recovery a sign asks for: pure. A sign is an entry on the bus (gaps, damage) or an alarm of CloudWatch. The same finding
// has the same hash, however its numbers and its streams change; the hash, the consumer and how far the evidence reaches make the
// name of the execution. Since when what is seen exists tells later whether it is new (decide-again.ts).

import { createHash } from 'node:crypto';
import * as z from 'zod/mini';
import { DAMAGE_FOUND, GAPS_FOUND, RECOVERY_SOURCE } from '../../model/wake-up.ts';
import { checkInput } from '../input/check.ts';
import type { Found } from './decide-again.ts';

/** What EventBridge delivers. */
export interface Sign {
  source: string;
  'detail-type': string;
  detail: unknown;
}

export type StartDecision =
  | { kind: 'ignore'; why: string }
  | {
      kind: 'start';
      /** Absent: all. */
      consumer?: string;
      /** Equal for the same finding. */
      hash: string;
      /** Name of the execution: taken once in 90 days. Later ones for the same finding get a number behind it. */
      name: string;
      /** When it was seen, milliseconds since 1970. */
      seenAt: number;
      found: Found;
      input: Record<string, unknown>;
    };

/** Alarms that a recovery may help against, by their heading of the runbook. The others need a person. */
export const ALARMS_THAT_START = [
  'relay-iterator-age',
  'consumer-queue-age',
  'consumer-dead-letter-queue',
  'consumer-undelivered',
  'consumer-errors',
  'consumer-throttles',
  'gap-scan-gaps',
  'gap-scan-lag',
] as const;

const text = (max: number) => z.string().check(z.minLength(1), z.maxLength(max));
const whole = z.number().check(z.int(), z.nonnegative());
/** What is listed of a finding: enough to know it again. */
const LISTED_MAX = 1_000;

const SIGN = z.looseObject({ source: text(256), 'detail-type': text(256), detail: z.optional(z.unknown()) });

/** As lib/recovery/gap/port.ts has it. */
const GAPS = z.looseObject({
  consumer: z.string().check(z.regex(/^[a-z][a-z0-9-]{0,47}$/)),
  scannedAt: whole,
  scannedTo: whole,
  gaps: whole,
  gapEvents: whole,
  // Of a scan before they were told: new.
  foundFrom: z.optional(whole),
  foundTo: z.optional(whole),
  listed: z.array(z.looseObject({ streamId: text(1_024), from: whole })).check(z.maxLength(LISTED_MAX)),
});

/** As lib/recovery/scrub/types.ts has it. */
const DAMAGE = z.looseObject({
  scrubbedAt: whole,
  findings: whole,
  kinds: z.record(text(64), whole),
  listed: z.array(z.looseObject({ id: text(256) })).check(z.maxLength(LISTED_MAX)),
});

/** `detail` of "CloudWatch Alarm State Change": https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch-and-eventbridge.html */
const ALARM = z.looseObject({
  alarmName: text(255),
  state: z.looseObject({
    value: text(64),
    timestamp: z.string().check(z.refine((at) => !Number.isNaN(Date.parse(at)))),
  }),
  configuration: z.optional(z.looseObject({ description: z.optional(z.string()) })),
});

export const ALARM_SOURCE = 'aws.cloudwatch';
export const ALARM_DETAIL_TYPE = 'CloudWatch Alarm State Change';
const HASH_LENGTH = 12;

/**
 * @throws InvalidInputError `INVALID_INPUT` when a sign is not what it says that it is
 * @example decideStart({ source: 'event-recovery.recovery', 'detail-type': 'GapsFound', detail });
 */
export function decideStart(sign: Sign): StartDecision {
  const { source, 'detail-type': type, detail } = checkInput(SIGN, sign, 'sign');
  if (source === RECOVERY_SOURCE && type === GAPS_FOUND) return gaps(checkInput(GAPS, detail, 'GapsFound'));
  if (source === RECOVERY_SOURCE && type === DAMAGE_FOUND) return damage(checkInput(DAMAGE, detail, 'DamageFound'));
  if (source === ALARM_SOURCE && type === ALARM_DETAIL_TYPE) return alarm(checkInput(ALARM, detail, 'alarm'));
  return { kind: 'ignore', why: `nothing is known about ${source} ${type}` };
}

function gaps(detail: z.infer<typeof GAPS>): StartDecision {
  const { consumer, scannedAt, scannedTo, gaps, gapEvents, foundFrom = scannedAt, foundTo = scannedAt } = detail;
  return start({
    consumer,
    finding: ['gaps', consumer],
    evidence: scannedTo,
    seenAt: scannedAt,
    found: { from: foundFrom, to: foundTo },
    input: { actions: ['fill-gaps'], trigger: 'scan', requestedBy: 'gap scan' },
    reason: `${gapEvents} events in ${gaps} streams were never delivered`,
  });
}

/** A scrub announces each finding once, and again only when it had been repaired meanwhile. */
function damage({ scrubbedAt, findings, kinds }: z.infer<typeof DAMAGE>): StartDecision {
  return start({
    finding: ['damage'],
    evidence: scrubbedAt,
    seenAt: scrubbedAt,
    found: { from: scrubbedAt, to: scrubbedAt },
    input: { actions: ['repair'], trigger: 'scrub', requestedBy: 'scrub' },
    reason: `${findings} findings: ${Object.entries(kinds)
      .map(([kind, count]) => `${count} ${kind}`)
      .join(', ')}`,
  });
}

function alarm({ alarmName, state, configuration }: z.infer<typeof ALARM>): StartDecision {
  if (state.value !== 'ALARM') return { kind: 'ignore', why: `${alarmName} is ${state.value}` };
  const description = configuration?.description ?? '';
  const heading = /#([a-z-]+)$/.exec(description)?.[1] ?? '';
  if (!(ALARMS_THAT_START as readonly string[]).includes(heading)) {
    return { kind: 'ignore', why: `${alarmName} (${heading || 'no heading of the runbook'}) starts no recovery` };
  }
  const consumer = /^Consumer ([a-z][a-z0-9-]{0,47}):/.exec(description)?.[1];
  const seenAt = Date.parse(state.timestamp);
  return start({
    consumer,
    finding: ['alarm', heading, consumer ?? ''],
    // It tells that it has become red, once: before that it was well.
    evidence: seenAt,
    seenAt,
    found: { from: seenAt, to: seenAt },
    input: { actions: ['repair'], trigger: 'alarm', requestedBy: `alarm ${heading}` },
    reason: `${alarmName}: ${description}`,
  });
}

interface Starting {
  consumer?: string;
  finding: readonly string[];
  evidence: number;
  seenAt: number;
  found: Found;
  input: Record<string, unknown>;
  reason: string;
}

/** Step Functions: a name has at most 80 characters: 48 of a consumer, 12, a number of 13, one of 4 and three dashes. */
function start({ consumer, finding, evidence, seenAt, found, input, reason }: Starting): StartDecision {
  const hash = createHash('sha256').update(JSON.stringify(finding)).digest('hex').slice(0, HASH_LENGTH);
  return {
    kind: 'start',
    consumer,
    hash,
    name: `${consumer ?? 'all'}-${hash}-${evidence}`,
    seenAt,
    found,
    input: { ...input, ...(consumer !== undefined && { consumers: [consumer] }), reason: reason.slice(0, 1_000) },
  };
}
