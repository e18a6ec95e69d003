// EventBridge for one machine: buses, rules with patterns and schedules, targets with dead-letter queues. Deliveries are
// asynchronous and permitted by the target's resource policy, as on AWS; what cannot be delivered goes to the target's
// dead-letter queue, or into `undelivered`.

import { randomUUID } from 'node:crypto';
import type { Identities } from '../iam/identities.ts';
import type { LocalMetrics } from '../metrics/metrics.ts';
import { ACCOUNT, byName, type Named, REGION } from '../names.ts';
import type { DeliveryFaults } from './delivery-faults.ts';
import type { Destinations } from './destinations.ts';
import { type TargetInput, targetPayload } from './input.ts';
import { checkPattern, matches, type Pattern } from './pattern.ts';
import { nextRun } from './schedule.ts';

export interface BusTarget extends TargetInput {
  Id: string;
  Arn: string;
  DeadLetterConfig?: { Arn?: string };
  SqsParameters?: { MessageGroupId: string };
  /** Role that EventBridge takes to start a state machine or to write to another bus. */
  RoleArn?: string;
}

export interface BusRule extends Named {
  arn: string;
  busName: string;
  pattern?: Pattern;
  schedule?: string;
  enabled: boolean;
  targets: readonly BusTarget[];
}

export interface BusEvent {
  source: string;
  detailType: string;
  detail: unknown;
  resources?: readonly string[];
  time?: Date;
}

export interface Buses {
  addBus(name: string): void;
  hasBus(name: string): boolean;
  addRule(rule: BusRule): void;
  rules(): readonly BusRule[];
  rule(name: string): BusRule;
  setEnabled(name: string, enabled: boolean): void;
  /** Matches the rules and delivers in the background. Returns the event's id. */
  publish(busName: string, event: BusEvent): string;
  /** Runs a scheduled rule now and waits until its targets have it. */
  trigger(name: string): Promise<void>;
  startSchedules(): void;
  /** Deliveries under way. */
  readonly inFlight: number;
  /** What neither the target nor a dead-letter queue took. */
  undelivered(): readonly { rule: string; target: string; reason: string }[];
  stop(): void;
}

export interface BusesOptions {
  destinations: Destinations;
  identities: Identities;
  faults: DeliveryFaults;
  /** Counts what could not be delivered. */
  metrics?: Pick<LocalMetrics, 'add'>;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function createBuses({ destinations, identities, faults, metrics }: BusesOptions): Buses {
  const buses = new Set(['default']);
  const rules: BusRule[] = [];
  const timers = new Map<string, NodeJS.Timeout>();
  const undelivered: { rule: string; target: string; reason: string }[] = [];

  const handOver = async (rule: BusRule, target: BusTarget, payload: string): Promise<void> => {
    const refusal = deliveryDenied(identities, rule, target);
    if (refusal !== undefined) throw Object.assign(new Error(refusal), { code: 'NO_PERMISSIONS' });
    await destinations.send(target.Arn, payload, { messageGroupId: target.SqsParameters?.MessageGroupId });
  };

  /** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html */
  const giveUp = async (rule: BusRule, target: BusTarget, payload: string, error: Error): Promise<void> => {
    const code = (error as { code?: string }).code ?? 'SDK_CLIENT_ERROR';
    const attributes = { RULE_ARN: rule.arn, TARGET_ARN: target.Arn, ERROR_CODE: code, ERROR_MESSAGE: error.message };
    if (target.DeadLetterConfig?.Arn === undefined) throw error;
    await destinations.send(target.DeadLetterConfig.Arn, payload, { attributes });
  };

  /** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html: both dimensions but for the default bus */
  const note = ({ name, busName }: BusRule, metric: 'FailedInvocations' | 'InvocationsSentToDLQ'): void => {
    const dimensions = { RuleName: name, ...(busName !== 'default' && { EventBusName: busName }) };
    metrics?.add({ namespace: 'AWS/Events', name: metric, dimensions, value: 1 });
  };

  const deliver = async (rule: BusRule, target: BusTarget, event: object): Promise<void> => {
    const payload = targetPayload(target, event);
    try {
      await handOver(rule, target, payload).catch(async (error: Error) => {
        note(rule, 'FailedInvocations');
        await giveUp(rule, target, payload, error);
        note(rule, 'InvocationsSentToDLQ');
      });
    } catch (error) {
      undelivered.push({ rule: rule.name, target: target.Arn, reason: (error as Error).message });
    }
  };

  let inFlight = 0;
  const deliverToAll = async (rule: BusRule, event: object): Promise<void> => {
    inFlight += 1;
    try {
      await Promise.all(rule.targets.map((target) => deliver(rule, target, event)));
    } finally {
      inFlight -= 1;
    }
  };

  const find = (name: string): BusRule => byName(rules, name, 'rule');

  const scheduleNext = (rule: BusRule): void => {
    const dueInMs = Math.min(nextRun(rule.schedule ?? '', Date.now()) - Date.now(), LONGEST_TIMER_MS);
    const timer = setTimeout(() => {
      if (rule.enabled) void deliverToAll(rule, scheduledEvent(rule));
      scheduleNext(rule);
    }, dueInMs);
    timer.unref();
    timers.set(rule.name, timer);
  };

  return {
    addBus: (name) => void buses.add(name),
    hasBus: (name) => buses.has(name),
    addRule(rule) {
      if (rule.pattern) checkPattern(rule.pattern);
      if (rule.schedule !== undefined) nextRun(rule.schedule, 0);
      rules.push(rule);
    },
    rules: () => rules,
    rule: find,
    setEnabled(name, enabled) {
      find(name).enabled = enabled;
    },
    publish(busName, event) {
      const id = randomUUID();
      const envelope = envelopeOf(id, event);
      for (const rule of rules) {
        if (!rule.enabled || rule.busName !== busName || !rule.pattern || !matches(rule.pattern, envelope)) continue;
        faults.pass(rule.name, () => void deliverToAll(rule, envelope));
      }
      return id;
    },
    async trigger(name) {
      const rule = find(name);
      await deliverToAll(rule, scheduledEvent(rule));
    },
    startSchedules() {
      for (const rule of rules) if (rule.schedule !== undefined) scheduleNext(rule);
    },
    get inFlight() {
      return inFlight + faults.held;
    },
    undelivered: () => undelivered,
    stop() {
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}

/** Why EventBridge may not hand this rule's events to this target, or undefined. */
export function deliveryDenied(identities: Identities, rule: BusRule, target: BusTarget): string | undefined {
  const actions: Record<string, string> = {
    sqs: 'sqs:SendMessage',
    sns: 'sns:Publish',
    lambda: 'lambda:InvokeFunction',
  };
  const action = actions[target.Arn.split(':')[2] ?? ''];
  if (action === undefined) {
    // State machines and buses are reached through a role of the target, not through a resource policy.
    const service = target.Arn.split(':')[2];
    const need = { action: service === 'states' ? 'states:StartExecution' : 'events:PutEvents', resource: target.Arn };
    if (target.RoleArn === undefined) return `target ${target.Id} has no RoleArn for ${need.action}`;
    return identities.roleDenied(target.RoleArn, need);
  }
  const context = { 'aws:sourcearn': [rule.arn], 'aws:sourceaccount': [ACCOUNT] };
  return identities.serviceDenied('events.amazonaws.com', { action, resource: target.Arn, context });
}

const envelopeOf = (id: string, event: BusEvent): object => ({
  version: '0',
  id,
  'detail-type': event.detailType,
  source: event.source,
  account: ACCOUNT,
  // EventBridge gives whole seconds.
  time: `${(event.time ?? new Date()).toISOString().slice(0, 19)}Z`,
  region: REGION,
  resources: event.resources ?? [],
  detail: event.detail,
});

const scheduledEvent = (rule: BusRule): object =>
  envelopeOf(randomUUID(), { source: 'aws.events', detailType: 'Scheduled Event', detail: {}, resources: [rule.arn] });
