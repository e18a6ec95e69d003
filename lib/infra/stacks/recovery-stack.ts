// The upper floor: whatever finds, gives back and repairs. One construct per capability. Holds no data and is read by nobody
// who moves events: removed, producers and consumers go on.

import { CfnOutput, type Duration, Stack, type StackProps } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { EventBus, type IEventBus } from '../constructs/event-bus.ts';
import { EventStore } from '../constructs/event-store.ts';
import type { IEventStore } from '../constructs/event-store-base.ts';
import { deadLetterQueuesIn } from '../constructs/queues.ts';
import { Archive } from '../constructs/recovery/archive.ts';
import { DeadLetterIntake } from '../constructs/recovery/dead-letter-intake.ts';
import { GapScan } from '../constructs/recovery/gap-scan.ts';
import { RecoveryDrill } from '../constructs/recovery/recovery-drill.ts';
import { RecoveryMachine } from '../constructs/recovery/recovery-machine.ts';
import { RecoveryTriggers } from '../constructs/recovery/recovery-triggers.ts';
import { RedriveDeadLetters } from '../constructs/recovery/redrive-dead-letters.ts';
import { ReplayEvents } from '../constructs/recovery/replay-events.ts';
import { Restore } from '../constructs/recovery/restore.ts';
import { Scrub, type ScrubOptions } from '../constructs/recovery/scrub.ts';
import { VerifyConsistency } from '../constructs/recovery/verify-consistency.ts';
import { DEFAULT_PARAMETER_PREFIX, shareValues } from '../constructs/shared-parameters.ts';

export interface RecoveryStackProps extends StackProps {
  /** SSM prefix of the deployment. @default '/event-recovery' */
  readonly parameterPrefix?: string;
  /** The key that the Data stack was given. @default - none */
  readonly encryptionKey?: IKey;
  /** How often what is stored is read again, and how fast. @default - within 7 days, 100 read units a second */
  readonly scrub?: ScrubOptions;
  /** Span of the archive's incremental exports: 15 minutes to 24 hours. @default 1 hour */
  readonly archiveSpan?: Duration;
  /**
   * Streams that one function verifies, 1 to 10,000; stores with more are verified in batches.
   * @default the context value "verifyBatchStreams"; otherwise 10,000
   */
  readonly verifyBatchStreams?: number;
  /**
   * Rehearse the recovery every month on isolated streams, with alarms when a drill fails or does not run.
   * @default the context value "drill" is "true"; otherwise no drills
   */
  readonly drill?: boolean;
}

export class RecoveryStack extends Stack {
  readonly eventStore: IEventStore;
  readonly eventBus: IEventBus;

  constructor(scope: Construct, id: string, props: RecoveryStackProps = {}) {
    super(scope, id, { description: 'Event recovery: detect, give back, repair', ...props });
    const parameterPrefix = props.parameterPrefix ?? DEFAULT_PARAMETER_PREFIX;
    this.eventStore = EventStore.fromDeployment(this, 'EventStore', {
      parameterPrefix,
      encryptionKey: props.encryptionKey,
    });
    this.eventBus = EventBus.fromDeployment(this, 'EventBus', { parameterPrefix });
    // Capabilities: each construct is made of these three, shares its function under the prefix, and has its outputs below.
    const batchStreams = props.verifyBatchStreams ?? numberOf(this.node.tryGetContext('verifyBatchStreams'));
    const verification = new VerifyConsistency(this, 'Verification', { eventStore: this.eventStore, batchStreams });
    shareValues(this, parameterPrefix, {
      'verify-consistency-function-arn': verification.function.functionArn,
      'verify-consistency-role-arn': verification.roleArn,
    });
    const gapScan = new GapScan(this, 'GapScan', { eventStore: this.eventStore, eventBus: this.eventBus });
    shareValues(gapScan, parameterPrefix, { 'scan-gaps-function-arn': gapScan.function.functionArn });
    const scrub = new Scrub(this, 'Scrub', { ...props.scrub, eventStore: this.eventStore, eventBus: this.eventBus });
    shareValues(scrub, parameterPrefix, { 'scrub-events-function-arn': scrub.function.functionArn });
    const { eventStore } = this;
    const { alertsTopic } = this.eventBus;
    const intake = new DeadLetterIntake(this, 'DeadLetterIntake', { eventStore, alertsTopic });
    shareValues(intake, parameterPrefix, {
      'intake-dead-letters-function-arn': intake.functionArn,
      'intake-dead-letters-role-arn': intake.roleArn,
    });
    const redrive = new RedriveDeadLetters(this, 'Redrive', { eventStore, alertsTopic });
    shareValues(redrive, parameterPrefix, { 'redrive-dead-letters-function-arn': redrive.function.functionArn });
    const archive = new Archive(this, 'Archive', { eventStore, alertsTopic, span: props.archiveSpan });
    shareValues(archive, parameterPrefix, { 'archive-events-function-arn': archive.function.functionArn });
    const restore = new Restore(this, 'Restore', { eventStore, eventBus: this.eventBus });
    shareValues(restore, parameterPrefix, { 'restore-commits-function-arn': restore.function.functionArn });
    const replay = new ReplayEvents(this, 'Replay', { eventStore, alertsTopic });
    shareValues(replay, parameterPrefix, { 'replay-events-function-arn': replay.function.functionArn });
    const machine = new RecoveryMachine(this, 'Recovery', {
      eventStore,
      eventBus: this.eventBus,
      scanGaps: gapScan.function,
      redriveDeadLetters: redrive.function,
      replayEvents: replay.function,
      restoreCommits: restore.function,
      verifyConsistency: verification.function,
    });
    const isDrilling = props.drill ?? this.node.tryGetContext('drill') === 'true';
    const drill = isDrilling
      ? new RecoveryDrill(this, 'Drill', {
          eventStore,
          eventBus: this.eventBus,
          stateMachine: machine.stateMachine,
          verification,
        })
      : undefined;
    shareValues(machine, parameterPrefix, {
      'recovery-state-machine-arn': machine.stateMachine.stateMachineArn,
      'decide-approval-function-arn': machine.approval.decide.functionArn,
    });
    const triggers = new RecoveryTriggers(this, 'Triggers', {
      eventStore,
      eventBus: this.eventBus,
      stateMachine: machine.stateMachine,
    });
    const outputs: Record<string, string> = {
      StartRecoveryFunctionName: triggers.function.functionName,
      StartRecoveryDeadLetterQueueUrl: triggers.deadLetterQueue.queueUrl,
      DecideApprovalFunctionName: machine.approval.decide.functionName,
      RecoveryStateMachineArn: machine.stateMachine.stateMachineArn,
      ...(drill && { RunDrillFunctionName: drill.function.functionName, DrillTableName: drill.table.tableName }),
      IntakeDeadLettersFunctionName: intake.function.functionName,
      IntakeDeadLettersDeadLetterQueueUrl: intake.deadLetterQueue.queueUrl,
      RedriveDeadLettersFunctionName: redrive.function.functionName,
      RedriveDeadLettersDeadLetterQueueUrl: redrive.deadLetterQueue.queueUrl,
      ArchiveEventsFunctionName: archive.function.functionName,
      ArchiveEventsDeadLetterQueueUrl: archive.deadLetterQueue.queueUrl,
      RestoreCommitsFunctionName: restore.function.functionName,
      RestoreCommitsDeadLetterQueueUrl: restore.deadLetterQueue.queueUrl,
      ReplayEventsFunctionName: replay.function.functionName,
      ReplayEventsDeadLetterQueueUrl: replay.deadLetterQueue.queueUrl,
      VerifyConsistencyFunctionName: verification.function.functionName,
      ScanGapsFunctionName: gapScan.function.functionName,
      ScanGapsDeadLetterQueueUrl: gapScan.deadLetterQueue.queueUrl,
      ScrubEventsFunctionName: scrub.function.functionName,
      ScrubEventsDeadLetterQueueUrl: scrub.deadLetterQueue.queueUrl,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
    // Last: every dead-letter queue that was created above.
    const lastStops = deadLetterQueuesIn(this);
    intake.takeIn(lastStops, this.eventBus.deadLetterQueueArns);
    machine.watchDeadLetters([...lastStops.map(({ queueArn }) => queueArn), ...this.eventBus.deadLetterQueueArns]);
  }
}

/** `-c key=5` is a text. */
const numberOf = (context: unknown): number | undefined => (context === undefined ? undefined : Number(context));
