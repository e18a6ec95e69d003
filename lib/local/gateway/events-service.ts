// The part of EventBridge's API that functions and operators call: PutEvents with its limits and per-entry failures,
// and switching rules.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html

import type { Buses } from '../bus/buses.ts';
import { type EntryVerdict, judgePutEvents, type PutEntry } from '../bus/put-events.ts';
import { resourceOfArn } from '../names.ts';
import type { ServiceHandler } from './gateway.ts';
import { errorReply, jsonReply, type Reply } from './replies.ts';

interface EventsInput {
  Entries?: Entry[];
  Name?: string;
  EventBusName?: string;
  TargetArn?: string;
  Rule?: string;
}

/** Times are seconds on the wire. */
interface Entry extends Omit<PutEntry, 'Time'> {
  Time?: number;
}

export const eventsService =
  (buses: Buses): ServiceHandler =>
  async (call) => {
    const input = JSON.parse(call.bodyText() || '{}') as EventsInput;
    switch (call.operation) {
      case 'PutEvents':
        return putEvents(buses, input.Entries ?? []);
      case 'EnableRule':
      case 'DisableRule':
        return withRule(input.Name, (name) => {
          buses.setEnabled(name, call.operation === 'EnableRule');
          return {};
        });
      case 'ListRuleNamesByTarget': {
        const bus = busOf(input.EventBusName);
        const of = buses.rules().filter(({ busName, targets }) => {
          return busName === bus && targets.some(({ Arn }) => Arn === input.TargetArn);
        });
        return jsonReply({ RuleNames: of.map(({ name }) => name) });
      }
      case 'ListTargetsByRule':
        return withRule(input.Rule, (name) => ({ Targets: buses.rule(name).targets }));
      case 'DescribeRule':
        return withRule(input.Name, (name) => {
          const rule = buses.rule(name);
          return {
            Name: rule.name,
            Arn: rule.arn,
            EventBusName: rule.busName,
            State: rule.enabled ? 'ENABLED' : 'DISABLED',
          };
        });
      default:
        return errorReply(
          'eventbridge',
          'UnknownOperationException',
          `the local bus has no ${call.operation}; it has PutEvents, EnableRule, DisableRule, DescribeRule, ListRuleNamesByTarget, ListTargetsByRule`,
        );
    }
  };

function putEvents(buses: Buses, entries: readonly Entry[]): Reply {
  const sent = entries.map(({ Time, ...entry }) => ({
    ...entry,
    ...(Time !== undefined && { Time: new Date(Time * 1_000) }),
  }));
  const verdict = judgePutEvents(sent);
  if (verdict.kind === 'refused') return errorReply('eventbridge', 'ValidationException', verdict.message);
  const results = verdict.entries.map((one, index) => putOne(buses, busOf(sent[index]?.EventBusName), one));
  return jsonReply({ FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results });
}

const busOf = (nameOrArn = 'default'): string => resourceOfArn(nameOrArn).replace(/^event-bus\//, '');

function putOne(
  buses: Buses,
  bus: string,
  verdict: EntryVerdict,
): { EventId: string } | { ErrorCode: string; ErrorMessage: string } {
  if (verdict.kind === 'refused') return { ErrorCode: verdict.code, ErrorMessage: verdict.message };
  // AWS answers with an event id although nobody listens; a bus that does not exist is a mistake worth an error here.
  if (!buses.hasBus(bus))
    return { ErrorCode: 'ResourceNotFoundException', ErrorMessage: `Event bus ${bus} does not exist.` };
  return { EventId: buses.publish(bus, verdict) };
}

function withRule(name: string | undefined, run: (name: string) => object): Reply {
  try {
    return jsonReply(run(name ?? ''));
  } catch (error) {
    return errorReply('eventbridge', 'ResourceNotFoundException', (error as Error).message);
  }
}
