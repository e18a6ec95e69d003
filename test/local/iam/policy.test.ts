import { describe, expect, it } from '@jest/globals';
import { checkStatement, evaluate, type Statement } from '../../../lib/local/iam/policy.ts';

const table = 'arn:aws:dynamodb:us-east-1:0:table/checkpoints';
const allow = (more: Partial<Statement> = {}): Statement => ({
  Effect: 'Allow',
  Action: 'dynamodb:PutItem',
  Resource: table,
  ...more,
});
const put = (context: Record<string, readonly string[]> = {}, resource: string | undefined = table) => ({
  action: 'dynamodb:PutItem',
  resource,
  context,
});

describe('policy evaluation', () => {
  it('allows what a statement allows, and nothing else', () => {
    expect(evaluate([allow()], put())).toBe('allow');
    expect(evaluate([], put())).toBe('nothing');
    expect(evaluate([allow({ Action: 'dynamodb:GetItem' })], put())).toBe('nothing');
    expect(evaluate([allow({ Resource: `${table}2` })], put())).toBe('nothing');
  });

  it('takes wildcards: actions in any case, resources exactly', () => {
    expect(evaluate([allow({ Action: 'DynamoDB:put*' })], put())).toBe('allow');
    expect(evaluate([allow({ Resource: '*' })], put())).toBe('allow');
    expect(evaluate([allow({ Resource: 'arn:aws:dynamodb:*:*:table/check?oints' })], put())).toBe('allow');
    expect(evaluate([allow({ Resource: table.toUpperCase() })], put())).toBe('nothing');
  });

  it('lets a deny win, wherever it stands', () => {
    const deny: Statement = { Effect: 'Deny', Action: 'dynamodb:*', Resource: '*' };
    expect(evaluate([deny, allow()], put())).toBe('deny');
    expect(evaluate([allow(), deny], put())).toBe('deny');
  });

  it('reads NotAction and NotResource', () => {
    expect(evaluate([{ Effect: 'Allow', NotAction: 'dynamodb:DeleteItem', Resource: '*' }], put())).toBe('allow');
    expect(evaluate([{ Effect: 'Allow', NotAction: 'dynamodb:PutItem', Resource: '*' }], put())).toBe('nothing');
    expect(evaluate([{ Effect: 'Allow', Action: '*', NotResource: table }], put())).toBe('nothing');
  });

  it('holds a writer to its own leading keys', () => {
    const own = allow({ Condition: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['inventory#*'] } } });
    const key = 'dynamodb:leadingkeys';
    expect(evaluate([own], put({ [key]: ['inventory#order-1'] }))).toBe('allow');
    expect(evaluate([own], put({ [key]: ['notification#order-1'] }))).toBe('nothing');
    expect(evaluate([own], put({ [key]: ['inventory#order-1', 'notification#order-1'] }))).toBe('nothing');
  });

  it.each<[string, Statement['Condition'], boolean]>([
    ['equal ARNs', { ArnEquals: { 'aws:SourceArn': 'arn:rule' } }, true],
    ['other ARNs', { ArnEquals: { 'aws:SourceArn': 'arn:other' } }, false],
    ['ARNs like', { ArnLike: { 'aws:SourceArn': 'arn:*' } }, true],
    ['strings not equal', { StringNotEquals: { 'aws:SourceArn': 'arn:other' } }, true],
    ['strings not equal, but they are', { StringNotEquals: { 'aws:SourceArn': 'arn:rule' } }, false],
    ['a missing key', { StringEquals: { 'aws:SourceAccount': '0' } }, false],
    ['a missing key, if it exists', { StringEqualsIfExists: { 'aws:SourceAccount': '0' } }, true],
    ['a key that must be absent', { Null: { 'aws:SourceAccount': 'true' } }, true],
    ['any of several values', { 'ForAnyValue:StringEquals': { 'aws:SourceArn': ['arn:x', 'arn:rule'] } }, true],
    ['a boolean', { Bool: { 'aws:SecureTransport': 'false' } }, false],
  ])('condition: %s', (_, Condition, expected) => {
    const context = { 'aws:sourcearn': ['arn:rule'], 'aws:securetransport': ['true'] };
    expect(evaluate([allow({ Condition })], put(context))).toBe(expected ? 'allow' : 'nothing');
  });

  it('refuses a condition operator that it does not know', () => {
    expect(() => checkStatement(allow({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }))).toThrow(
      expect.objectContaining({ code: 'LOCAL_UNSUPPORTED_CONDITION', facts: { operator: 'IpAddress' } }),
    );
  });
});
