// SNS Publish, alone and under the alerts: what a subscriber gets, and what is refused.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html

import { PublishCommand, type PublishCommandInput } from '@aws-sdk/client-sns';
import { RECOVERY_TABLE } from '../../../lib/platform/dynamodb/schemas.ts';
import { ALERT_WINDOW_MS, type Alert, createAlerts } from '../../../lib/recovery/alert/alerts.ts';
import { memoryEngine } from '../../support/engines.ts';
import { endOf, type Scenario } from '../scenario.ts';
import type { TopicSubject } from './engine.ts';

type Play = (topic: TopicSubject) => Promise<unknown>;
const scenario = (name: string, play: Play, expected: unknown): Scenario<undefined, TopicSubject> => ({
  name,
  settings: undefined,
  play,
  expected,
});

const publish = ({ sns, topicArn }: TopicSubject, input: Partial<PublishCommandInput>): Promise<unknown> =>
  endOf(sns.send(new PublishCommand({ TopicArn: topicArn, Message: undefined, ...input })).then(() => 'published'));

/** Publishes one message; how that ended, and what the subscriber has. */
const one = (name: string, input: Partial<PublishCommandInput>, end: string, received: object[]) =>
  scenario(name, async (topic) => [await publish(topic, input), await topic.received()], [end, received]);

const alert = (more: Partial<Alert> = {}): Alert => ({
  consumer: 'inventory',
  fingerprint: 'f1',
  at: 0,
  subject: 'inventory: 1 dead letter',
  facts: { count: 1 },
  ...more,
});
const message = (facts: object, { consumer = 'inventory', fingerprint = 'f1', at = 0 } = {}): string =>
  JSON.stringify({ consumer, fingerprint, windowStart: new Date(at).toISOString(), ...facts }, undefined, 2);
const told = (subject: string, text: string) => ({ Subject: subject, Message: text });

/** Alerts over this topic; the claims are in memory. */
async function alertsOver({ sns, topicArn }: TopicSubject) {
  const tables = await memoryEngine.createTables([RECOVERY_TABLE]);
  const parts = { dynamo: tables.dynamo, table: RECOVERY_TABLE.name, sns, topicArn, clock: tables.clock };
  return { parts, alerts: createAlerts(parts) };
}

const raised = (name: string, given: readonly Alert[], ends: readonly string[], received: readonly object[]) =>
  scenario(
    `alerts: ${name}`,
    async (topic) => {
      const { alerts } = await alertsOver(topic);
      const seen: unknown[] = [];
      for (const each of given) seen.push(await endOf(alerts.raise(each)));
      return [seen, await topic.received()];
    },
    [ends, received],
  );

const SUBJECT = 'inventory: 1 dead letter';

export const TOPICS: readonly Scenario<undefined, TopicSubject>[] = [
  one('a message arrives', { Message: 'hello' }, 'published', [{ Message: 'hello' }]),
  one('a subject arrives beside it', { Message: 'a', Subject: 'b' }, 'published', [told('b', 'a')]),
  one('JSON stays text', { Message: '{"a":[1]}' }, 'published', [{ Message: '{"a":[1]}' }]),
  one('line breaks and any script arrive', { Message: 'Zoë\n\t日本' }, 'published', [{ Message: 'Zoë\n\t日本' }]),
  one('256 KB arrive', { Message: 'x'.repeat(262_144) }, 'published', [{ Message: 'x'.repeat(262_144) }]),
  one('one byte more is refused', { Message: 'x'.repeat(262_145) }, 'InvalidParameterException', []),
  one('bytes count, not characters', { Message: 'é'.repeat(131_073) }, 'InvalidParameterException', []),
  one('an empty message is refused', { Message: '' }, 'InvalidParameterException', []),
  one(
    'a topic that is not there is an error',
    { TopicArn: 'arn:aws:sns:us-east-1:000000000000:gone', Message: 'a' },
    'NotFoundException',
    [],
  ),
  scenario(
    'messages do not replace each other',
    async (topic) => {
      for (const Message of ['a', 'b', 'a']) await publish(topic, { Message });
      return topic.received();
    },
    [{ Message: 'a' }, { Message: 'a' }, { Message: 'b' }],
  ),
  raised('one group is told with its facts', [alert()], ['published'], [told(SUBJECT, message({ count: 1 }))]),
  raised(
    'a group is told once in its window',
    [alert(), alert({ facts: { count: 2 } })],
    ['published', 'told-already'],
    [told(SUBJECT, message({ count: 1 }))],
  ),
  raised(
    'and again in the next one',
    [alert(), alert({ at: ALERT_WINDOW_MS })],
    ['published', 'published'],
    [told(SUBJECT, message({ count: 1 })), told(SUBJECT, message({ count: 1 }, { at: ALERT_WINDOW_MS }))],
  ),
  raised(
    'groups are told each for itself',
    [alert(), alert({ fingerprint: 'f2' })],
    ['published', 'published'],
    [told(SUBJECT, message({ count: 1 })), told(SUBJECT, message({ count: 1 }, { fingerprint: 'f2' }))],
  ),
  raised(
    'a subject from elsewhere is made into one that SNS takes',
    [alert({ subject: ` line\r\nbreak \u001b[2J é${'x'.repeat(200)}` })],
    ['published'],
    [told(`line??break ?[2J ?${'x'.repeat(81)}`, message({ count: 1 }))],
  ),
  raised(
    'facts that are too large for a message are an error',
    [alert({ facts: { text: 'x'.repeat(262_144) } })],
    ['InvalidParameterException'],
    [],
  ),
  scenario(
    'alerts: what could not be published is published for the next who asks, once',
    async (topic) => {
      const { alerts, parts } = await alertsOver(topic);
      const elsewhere = createAlerts({ ...parts, topicArn: `${topic.topicArn}-gone` });
      const ends = [await endOf(elsewhere.raise(alert()))];
      for (let turn = 0; turn < 2; turn += 1) ends.push(await endOf(alerts.raise(alert())));
      return [...ends, (await topic.received()).length];
    },
    ['NotFoundException', 'published', 'told-already', 1],
  ),
];
