import { describe, expect, it } from '@jest/globals';
import { NO_VALUE, resolve, type Scope } from '../../../lib/local/template/intrinsics.ts';

const scope = (more: Partial<Scope> = {}): Scope => ({
  ref: (name) => ({ Table: 'orders', 'AWS::Region': 'us-east-1', 'AWS::NoValue': NO_VALUE })[name],
  attribute: (id, name) => (id === 'Queue' && name === 'Arn' ? 'arn:aws:sqs:us-east-1:0:queue' : undefined),
  condition: (name) => name === 'Yes',
  mapping: () => ({ 'us-east-1': { size: 3 } }),
  imported: (name) => (name === 'shared' ? 'imported value' : undefined),
  stackOutput: (stack, output) => `${stack}/${output}`,
  parameter: (name) => (name === '/a/b' ? 'from ssm' : undefined),
  ...more,
});
/** Texts of templates hold `${Name}`; written with `{Name}` here. */
const text = (value: string): string => value.replaceAll('{', '${');

describe('intrinsics', () => {
  it.each([
    ['Ref', { Ref: 'Table' }, 'orders'],
    ['GetAtt as a list', { 'Fn::GetAtt': ['Queue', 'Arn'] }, 'arn:aws:sqs:us-east-1:0:queue'],
    ['GetAtt as a text', { 'Fn::GetAtt': 'Queue.Arn' }, 'arn:aws:sqs:us-east-1:0:queue'],
    ['Join', { 'Fn::Join': ['-', ['a', { Ref: 'Table' }]] }, 'a-orders'],
    ['Sub', { 'Fn::Sub': text('{Table}@{AWS::Region} {Queue.Arn}') }, 'orders@us-east-1 arn:aws:sqs:us-east-1:0:queue'],
    ['Sub with variables', { 'Fn::Sub': [text('{x}{Table}'), { x: { Ref: 'Table' } }] }, 'ordersorders'],
    ['Sub with a literal', { 'Fn::Sub': text('{!Table}') }, text('{Table}')],
    ['Select', { 'Fn::Select': ['1', ['a', 'b']] }, 'b'],
    ['Split', { 'Fn::Split': [':', { 'Fn::GetAtt': 'Queue.Arn' }] }, ['arn', 'aws', 'sqs', 'us-east-1', '0', 'queue']],
    ['If that holds', { 'Fn::If': ['Yes', 1, 2] }, 1],
    ['If that does not', { 'Fn::If': ['No', 1, 2] }, 2],
    ['FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'size'] }, 3],
    ['ImportValue', { 'Fn::ImportValue': 'shared' }, 'imported value'],
    ['GetStackOutput', { 'Fn::GetStackOutput': { StackName: 'Data', OutputName: 'Name' } }, 'Data/Name'],
    ['Base64', { 'Fn::Base64': 'hi' }, 'aGk='],
    ['Equals', { 'Fn::Equals': [{ Ref: 'Table' }, 'orders'] }, true],
    ['Not', { 'Fn::Not': [{ Condition: 'Yes' }] }, false],
    ['And', { 'Fn::And': [{ Condition: 'Yes' }, { Condition: 'No' }] }, false],
    ['Or', { 'Fn::Or': [{ Condition: 'Yes' }, { Condition: 'No' }] }, true],
    ['a dynamic reference', 'x {{resolve:ssm:/a/b}} y', 'x from ssm y'],
  ])('resolves %s', (_, value, expected) => {
    expect(resolve({ in: [value] }, scope())).toEqual({ in: [expected] });
  });

  it('takes AWS::NoValue out of objects and lists', () => {
    expect(resolve({ gone: { Ref: 'AWS::NoValue' }, list: [1, { Ref: 'AWS::NoValue' }] }, scope())).toEqual({
      list: [1],
    });
  });

  it('leaves the Condition block of a policy statement alone', () => {
    const statement = { Effect: 'Allow', Condition: { Bool: { 'aws:SecureTransport': 'false' } } };
    expect(resolve({ Condition: { Bool: {} }, Statement: [statement] }, scope())).toEqual({
      Condition: { Bool: {} },
      Statement: [statement],
    });
  });

  it('refuses a function that it does not know, by name', () => {
    expect(() => resolve({ 'Fn::Cidr': ['10.0.0.0/8', 2] }, scope())).toThrow(
      expect.objectContaining({ code: 'LOCAL_UNSUPPORTED_INTRINSIC', facts: { name: 'Fn::Cidr' } }),
    );
  });

  it.each([
    ['a Ref', { Ref: 'Nobody' }],
    ['an attribute', { 'Fn::GetAtt': ['Queue', 'Colour'] }],
    ['an import', { 'Fn::ImportValue': 'nothing' }],
    ['a parameter', '{{resolve:ssm:/x}}'],
  ])('refuses %s that nothing answers to', (_, value) => {
    expect(() => resolve(value, scope())).toThrow(expect.objectContaining({ code: 'LOCAL_UNRESOLVED_REFERENCE' }));
  });
});
