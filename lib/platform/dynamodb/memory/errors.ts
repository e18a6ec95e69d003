// The exceptions that callers of the AWS SDK see: the real classes, with the server's messages.

import {
  type AttributeValue,
  type CancellationReason,
  ConditionalCheckFailedException,
  DynamoDBServiceException,
  IdempotentParameterMismatchException,
  ResourceNotFoundException,
  TransactionCanceledException,
} from '@aws-sdk/client-dynamodb';
import { InvalidInputError } from '../../../model/errors.ts';

const METADATA = (httpStatusCode: number) => ({ httpStatusCode, attempts: 1, totalRetryDelay: 0 });

export const validationError = (message: string): DynamoDBServiceException =>
  new DynamoDBServiceException({
    name: 'ValidationException',
    $fault: 'client',
    message,
    $metadata: METADATA(400),
  });

const schemaFaults = new WeakSet<object>();

/** A value that does not fit the table's keys. In a transaction it is the reason of its item, not a refusal of the request. */
export function schemaFault(message: string): DynamoDBServiceException {
  const error = validationError(message);
  schemaFaults.add(error);
  return error;
}

export const isSchemaFault = (error: unknown): error is DynamoDBServiceException =>
  typeof error === 'object' && error !== null && schemaFaults.has(error);

export const isValidationError = (error: unknown): error is DynamoDBServiceException =>
  error instanceof DynamoDBServiceException && error.name === 'ValidationException';

/** `item` is what stood in the way, when the request asked for it by ReturnValuesOnConditionCheckFailure. */
export const conditionFailed = (item?: Record<string, AttributeValue>): ConditionalCheckFailedException =>
  new ConditionalCheckFailedException({
    message: 'The conditional request failed',
    ...(item && { Item: item }),
    $metadata: METADATA(400),
  });

export const resourceNotFound = (message = 'Cannot do operations on a non-existent table'): ResourceNotFoundException =>
  new ResourceNotFoundException({ message, $metadata: METADATA(400) });

export function transactionCancelled(reasons: CancellationReason[]): TransactionCanceledException {
  const codes = reasons.map((reason) => reason.Code).join(', ');
  return new TransactionCanceledException({
    message: `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
    CancellationReasons: reasons,
    $metadata: METADATA(400),
  });
}

export const idempotentParameterMismatch = (): IdempotentParameterMismatchException =>
  new IdempotentParameterMismatchException({
    message: 'The request uses the same client token as a previous, but non-identical request',
    $metadata: METADATA(400),
  });

/** A parameter that this engine does not know. It must never be ignored: the test would prove something else. */
export const unsupported = (what: string, got: unknown): InvalidInputError =>
  new InvalidInputError('UNSUPPORTED_DYNAMODB_PARAMETER', {
    what,
    got,
    allowed: 'what lib/platform/dynamodb/memory implements',
    remedy: 'use another parameter, or teach it to the memory engine together with a parity test',
  });
