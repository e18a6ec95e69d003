// An error that ends the state machine at the state whose function throws it, under a name of its own, so that a redrive of the
// execution begins there. Step Functions takes the error's name.

export class StepFailed extends Error {
  constructor(name: 'ReportFailed' | 'RepairFailed' | 'VerificationFailed' | 'AlreadyRecovering', message: string) {
    super(message);
    this.name = name;
  }
}
