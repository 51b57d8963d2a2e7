/** Commands that are programs of their own: dormouse.mjs hands over to them, with all that stands behind their name. */

export const programs = [
  { name: 'up', summary: 'Set up what is needed and run the platform on this machine until Ctrl-C' },
  { name: 'doctor', summary: 'Check whether this machine can run the platform, and say how to mend what is missing' },
  { name: 'fsck', summary: 'Check every object of a store; needs no api' },
  { name: 'bench', summary: 'Compare the platform with the bare tools it is made of' },
  { name: 'loadtest', summary: 'Measure cold, warm and hot calls, of Dormouse or of another platform' },
] as const;
