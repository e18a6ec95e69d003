// The recovery's state machine as CloudFormation would make it, for those who run it on their own functions.

import { App, Stack } from 'aws-cdk-lib';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type CfnStateMachine, DefinitionBody, QueryLanguage, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { recoveryDefinition } from '../../lib/infra/constructs/recovery/recovery-definition.ts';

export interface AslState {
  Type: string;
  Comment?: string;
  Retry?: { JitterStrategy?: string }[];
  QueryLanguage?: string;
  Branches?: Pick<Asl, 'States'>[];
  ItemProcessor?: Pick<Asl, 'States'>;
}
/** Nested ones too. */
export const allStates = ({ States }: Pick<Asl, 'States'>): AslState[] =>
  Object.values(States).flatMap((state) => [
    state,
    ...[...(state.Branches ?? []), ...(state.ItemProcessor ? [state.ItemProcessor] : [])].flatMap(allStates),
  ]);

export interface Asl {
  QueryLanguage?: string;
  StartAt: string;
  States: Record<string, AslState>;
}

/** As CloudFormation would make it, with names of functions in place of references. */
export function synthesizedDefinition(): Asl {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Test');
  const of = (name: string) =>
    LambdaFunction.fromFunctionArn(stack, name, `arn:aws:lambda:eu-central-1:111122223333:function:${name}`);
  const machine = new StateMachine(stack, 'Recovery', {
    queryLanguage: QueryLanguage.JSON_PATH,
    definitionBody: DefinitionBody.fromChainable(
      recoveryDefinition(stack, {
        scanGaps: of('scan-gaps'),
        diagnose: of('diagnose'),
        redriveDeadLetters: of('redrive-dead-letters'),
        replayEvents: of('replay-events'),
        restoreCommits: of('restore-commits'),
        verifyConsistency: of('verify-consistency'),
        reportStatus: of('report-status'),
        askApproval: of('ask-approval'),
        enableRule: of('enable-rule'),
      }),
    ),
  });
  const raw = definitionOf(stack, machine);
  return JSON.parse(textOf(raw)) as Asl;
}

function definitionOf(stack: Stack, machine: StateMachine): unknown {
  return stack.resolve((machine.node.defaultChild as CfnStateMachine).definitionString);
}

/** `Fn::Join` of text and references to the partition. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const [, parts] = (value as { 'Fn::Join': [string, unknown[]] })['Fn::Join'];
  return parts.map((part) => (typeof part === 'string' ? part : 'aws')).join('');
}
