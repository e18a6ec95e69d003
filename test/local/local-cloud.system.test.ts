// The machinery of the local cloud on the small fixture: deliveries, failures, permissions and faults, as a function of a
// deployed app meets them.

import { DynamoDBClient, PutItemCommand, ScanCommand } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetQueueAttributesCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type LocalCloud, startLocalCloud } from '../../lib/local/local-cloud.ts';
import { waitUntil } from '../../lib/recovery/drill/wait-until.ts';
import { fixtureAssembly, runFolder } from './fixture/assembly.ts';

let local: LocalCloud;
let dynamodb: DynamoDBClient;
const client = () => ({
  endpoint: local.endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});

interface Row {
  pk: string;
  of?: string;
  receives?: string;
  refused?: string;
  records?: string;
  condition?: string;
  key?: string;
  environment?: string;
  name?: string;
  number?: string;
}

async function rows(prefix: string, of?: string): Promise<Row[]> {
  const { Items = [] } = await dynamodb.send(
    new ScanCommand({ TableName: local.outputs.TableName, ConsistentRead: true }),
  );
  const plain = Items.map(
    (item) => Object.fromEntries(Object.entries(item).map(([key, value]) => [key, value.S])) as unknown as Row,
  );
  return plain.filter((row) => row.pk.startsWith(prefix) && (of === undefined || row.of === of));
}
const place = (pk: string, behave?: string, more: Record<string, { S: string }> = {}) =>
  dynamodb.send(
    new PutItemCommand({
      TableName: local.outputs.TableName,
      Item: { pk: { S: pk }, ...(behave && { behave: { S: behave } }), ...more },
    }),
  );
const effects = (of: string, count = 1): Promise<Row[]> =>
  waitUntil(`${count} effects of ${of}`, async () => {
    const found = await rows('effect-', of);
    return found.length >= count ? found : undefined;
  });
const deadLetters = async (): Promise<number> => {
  const sqs = new SQSClient(client());
  const { Attributes } = await sqs.send(
    new GetQueueAttributesCommand({
      QueueUrl: local.outputs.DeadLettersUrl,
      AttributeNames: ['ApproximateNumberOfMessages'],
    }),
  );
  return Number(Attributes?.ApproximateNumberOfMessages);
};

beforeAll(async () => {
  local = await startLocalCloud(Promise.resolve(fixtureAssembly('cloud')), { runFolder: runFolder('cloud') });
  dynamodb = new DynamoDBClient(client());
});
afterEach(() => local.faults.clear());
afterAll(() => local?.stop());

describe('a deployed template', () => {
  it('ran its custom resource with strings, and took the attributes of the answer', async () => {
    expect(local.outputs.Registered).toBe('hello eater');
    expect(await rows('registered')).toEqual([{ pk: 'registered', name: 'eater', number: 'string' }]);
  });

  it('moves a record from the table through the bus into the queue and to the function, which sees only its environment', async () => {
    process.env.OF_THE_DEVELOPER = 'secret';
    await place('order-simple');
    const [effect] = await effects('order-simple');
    expect(effect).toMatchObject({ receives: '1' });
    const variables = effect?.environment?.split(' ') ?? [];
    expect(variables).toEqual(
      expect.arrayContaining(['TABLE', 'CONSUMER_NAME', 'AWS_ENDPOINT_URL', 'AWS_LAMBDA_FUNCTION_NAME']),
    );
    expect(variables).not.toContain('OF_THE_DEVELOPER');
    delete process.env.OF_THE_DEVELOPER;
  });

  it('keeps out what a pattern keeps out', async () => {
    await place('drill-kept-out');
    await place('order-after-it');
    await effects('order-after-it');
    expect(await rows('effect-', 'drill-kept-out')).toEqual([]);
  });

  it('serves the parameters that its stacks wrote, and synchronous invocations', async () => {
    const { Parameter } = await new SSMClient(client()).send(new GetParameterCommand({ Name: '/fixture/table' }));
    expect(Parameter?.Value).toBe(local.outputs.TableName);
    const lambda = new LambdaClient(client());
    const Payload = JSON.stringify({ Records: [] });
    const answer = await lambda.send(new InvokeCommand({ FunctionName: 'eater', Payload }));
    expect(JSON.parse(Buffer.from(answer.Payload ?? []).toString())).toEqual({ batchItemFailures: [] });
    const broken = await lambda.send(new InvokeCommand({ FunctionName: 'eater', Payload: '{}' }));
    expect(broken.FunctionError).toBe('Unhandled');
  });
});

describe('what goes wrong in a function', () => {
  it('a reported message comes back after the visibility timeout, alone', async () => {
    await place('order-reported', 'fail-once');
    expect(await effects('order-reported')).toMatchObject([{ receives: '2' }]);
  });

  it('a function that hangs is killed at its timeout; its message comes back', async () => {
    await place('order-hangs', 'hang');
    expect(await effects('order-hangs')).toMatchObject([{ receives: expect.stringMatching(/[23]/) }]);
    await waitUntil(
      'the timeout in the log',
      async () => local.logs('eater').some((line) => line.text.includes('Task timed out after 3 seconds')) || undefined,
    );
  });

  it('an invocation that ends so late that its calls may be aborted counts as cut off', async () => {
    const cutOff = () => local.cloud.functions.get('eater').unplannedEnds;
    const before = cutOff();
    await place('order-late', 'late');
    await waitUntil('the late end', async () => cutOff() > before || undefined);
  });

  it('a function that dies is replaced by a new process', async () => {
    await place('order-dies', 'exit');
    expect(await effects('order-dies')).toMatchObject([{ receives: '2' }]);
    expect(local.logs('eater').some((line) => line.text.includes('exit status 3'))).toBe(true);
  });

  it('a message that always fails ends in the dead-letter queue', async () => {
    await place('order-fails', 'always-fail');
    await waitUntil('a dead letter', async () => (await deadLetters()) || undefined, { timeoutMs: 20_000 });
    expect(await rows('effect-', 'order-fails')).toEqual([]);
  });

  it('a call that its role does not allow is refused', async () => {
    await place('order-forbidden', 'forbidden');
    expect(await effects('order-forbidden')).toMatchObject([{ refused: 'AccessDeniedException' }]);
  });

  it('a stream record that always fails is isolated, written to the bucket, and repaired from there', async () => {
    await place('order-poisoned', undefined, { poison: { S: 'yes' } });
    await place('order-behind-it');
    await effects('order-behind-it');
    const repaired = await waitUntil('the repair', async () => {
      const found = await rows('repaired-');
      return found.length > 0 ? found : undefined;
    });
    expect(repaired).toMatchObject([{ records: 'order-poisoned', condition: 'RetryAttemptsExhausted' }]);
    expect(repaired[0]?.key).toMatch(/^aws\/lambda\/[0-9a-f-]+\/shardId-[^/]+\/\d{4}\/\d\d\/\d\d\//);
  });
});

describe('faults', () => {
  const writesEffectOf = { functionName: 'eater', service: 'dynamodb', operation: 'PutItem' };
  const about = (pk: string) => (body: string) => body.includes(`"${pk}"`);

  it('a kill before the request: the process is dead and the effect does not exist', async () => {
    const kill = local.faults.killOn({ ...writesEffectOf, when: 'before', match: about('order-kill-before') });
    await place('order-kill-before');
    await kill.whenFired();
    expect(await rows('effect-', 'order-kill-before')).toEqual([]);
    expect(await effects('order-kill-before')).toMatchObject([{ receives: '2' }]);
  });

  it('a kill after the answer: the effect exists, and the message comes back', async () => {
    const kill = local.faults.killOn({ ...writesEffectOf, when: 'after', match: about('order-kill-after') });
    await place('order-kill-after');
    await kill.whenFired();
    const twice = await effects('order-kill-after', 2);
    expect(twice.map((effect) => effect.receives).sort()).toEqual(['1', '2']);
  });

  it('an injected error reaches the function as an exception of that name', async () => {
    const failure = local.faults.failOn({
      ...writesEffectOf,
      match: about('order-refused'),
      code: 'AccessDeniedException',
    });
    await place('order-refused');
    await failure.whenFired();
    expect(await effects('order-refused')).toMatchObject([{ receives: '2' }]);
    expect(local.logs('eater').some((line) => line.text.includes('injected AccessDeniedException'))).toBe(true);
  });

  it('a lost answer: the effect exists once more after the timeout', async () => {
    const lost = local.faults.dropOn({ ...writesEffectOf, when: 'after', match: about('order-lost-answer') });
    await place('order-lost-answer');
    await lost.whenFired();
    await effects('order-lost-answer', 2);
  });

  it('a dropped delivery never arrives, a doubled one arrives twice', async () => {
    const rule = local.cloud.buses.rules()[0]?.name;
    const drop = local.faults.bus({ kind: 'drop', rule, times: 1 });
    await place('order-dropped');
    await drop.whenFired();
    const double = local.faults.bus({ kind: 'duplicate', rule, times: 1 });
    await place('order-doubled');
    await double.whenFired();
    await effects('order-doubled', 2);
    expect(await rows('effect-', 'order-dropped')).toEqual([]);
  });

  it('a paused mapping leaves messages in the queue until it is resumed', async () => {
    await local.faults.pauseMappings('eater');
    await place('order-paused');
    const waiting = async () => {
      const sqs = new SQSClient(client());
      const names = ['ApproximateNumberOfMessages' as const];
      const { Attributes } = await sqs.send(
        new GetQueueAttributesCommand({ QueueUrl: local.outputs.QueueUrl, AttributeNames: names }),
      );
      return Number(Attributes?.ApproximateNumberOfMessages) > 0 || undefined;
    };
    await waitUntil('a waiting message', waiting);
    expect(await rows('effect-', 'order-paused')).toEqual([]);
    local.faults.resumeMappings('eater');
    await effects('order-paused');
  });
});

describe('a template that would not work on AWS', () => {
  it('does not start when EventBridge may not send to a queue', async () => {
    const assembly = fixtureAssembly('no-grant', (flow) => {
      delete (flow.Resources as Partial<typeof flow.Resources>).QueuePolicy;
    });
    const started = startLocalCloud(Promise.resolve(assembly), { runFolder: runFolder('no-grant') });
    await expect(started).rejects.toMatchObject({
      code: 'LOCAL_NOT_PERMITTED',
      message: expect.stringContaining('sqs:SendMessage'),
    });
  });

  it('does not start when a function may not read its queue', async () => {
    const assembly = fixtureAssembly('no-read', (flow) => {
      flow.Resources.ConsumerRolePolicy.Properties.PolicyDocument.Statement.shift();
    });
    const started = startLocalCloud(Promise.resolve(assembly), { runFolder: runFolder('no-read') });
    await expect(started).rejects.toMatchObject({
      code: 'LOCAL_NOT_PERMITTED',
      message: expect.stringContaining('sqs:ReceiveMessage'),
    });
  });
});
