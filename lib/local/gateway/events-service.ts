// The part of EventBridge's API that functions and operators call: PutEvents with its limits and per-entry failures,
// and switching rules.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html

import type { Buses } from '../bus/buses.ts';
import { resourceOfArn } from '../names.ts';
import type { ServiceHandler } from './gateway.ts';
import { errorReply, jsonReply, type Reply } from './replies.ts';

interface EventsInput {
  Entries?: Entry[];
  Name?: string;
  EventBusName?: string;
  TargetArn?: string;
}

interface Entry {
  EventBusName?: string;
  Source?: string;
  DetailType?: string;
  Detail?: string;
  Resources?: string[];
  Time?: number;
}

const MAX_ENTRIES = 10;
/** All entries of one call together. */
const MAX_BYTES = 1_048_576;

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
        const bus = resourceOfArn(input.EventBusName ?? 'default').replace(/^event-bus\//, '');
        const of = buses.rules().filter(({ busName, targets }) => {
          return busName === bus && targets.some(({ Arn }) => Arn === input.TargetArn);
        });
        return jsonReply({ RuleNames: of.map(({ name }) => name) });
      }
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
          `the local bus has no ${call.operation}; it has PutEvents, EnableRule, DisableRule, DescribeRule, ListRuleNamesByTarget`,
        );
    }
  };

function putEvents(buses: Buses, entries: Entry[]): Reply {
  if (entries.length === 0 || entries.length > MAX_ENTRIES) {
    return invalid(
      `Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${MAX_ENTRIES}`,
    );
  }
  const bytes = entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
  if (bytes > MAX_BYTES)
    return invalid(`Total size of the entries in the request is over the limit: ${bytes} > ${MAX_BYTES}`);
  const results = entries.map((entry) => putOne(buses, entry));
  return jsonReply({ FailedEntryCount: results.filter((result) => 'ErrorCode' in result).length, Entries: results });
}

function putOne(buses: Buses, entry: Entry): { EventId: string } | { ErrorCode: string; ErrorMessage: string } {
  const bus = resourceOfArn(entry.EventBusName ?? 'default').replace(/^event-bus\//, '');
  if (!entry.Source || !entry.DetailType || entry.Detail === undefined) {
    return { ErrorCode: 'InvalidArgument', ErrorMessage: 'Parameters Source, DetailType and Detail are required.' };
  }
  let detail: unknown;
  try {
    detail = JSON.parse(entry.Detail);
  } catch {
    return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
  }
  // AWS answers with an event id although nobody listens; a bus that does not exist is a mistake worth an error here.
  if (!buses.hasBus(bus))
    return { ErrorCode: 'ResourceNotFoundException', ErrorMessage: `Event bus ${bus} does not exist.` };
  const time = entry.Time === undefined ? undefined : new Date(entry.Time * 1_000);
  const event = { source: entry.Source, detailType: entry.DetailType, detail, resources: entry.Resources, time };
  return { EventId: buses.publish(bus, event) };
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html#eb-calculate-entry-size */
function sizeOf(entry: Entry): number {
  const texts = [entry.Source, entry.DetailType, entry.Detail, ...(entry.Resources ?? [])];
  const fixed = entry.Time === undefined ? 0 : 14;
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text ?? ''), fixed);
}

function withRule(name: string | undefined, run: (name: string) => object): Reply {
  try {
    return jsonReply(run(name ?? ''));
  } catch (error) {
    return errorReply('eventbridge', 'ResourceNotFoundException', (error as Error).message);
  }
}

const invalid = (message: string): Reply => errorReply('eventbridge', 'ValidationException', message);
