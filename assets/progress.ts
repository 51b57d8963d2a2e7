/** Says what a long step is doing; a person watches it on standard error. */
export type Progress = (message: string) => void;
