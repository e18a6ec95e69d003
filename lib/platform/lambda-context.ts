// The part of Lambda's context object that the project uses. Structural, so that tests and the local system can pass their
// own, and a handler can be given the one of `@types/aws-lambda`.

export interface LambdaContext {
  awsRequestId: string;
  functionName: string;
  /** Milliseconds until the function is ended. */
  getRemainingTimeInMillis(): number;
}
