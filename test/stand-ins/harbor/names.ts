/** The release whose installer is stood in for, and how the stand-in tells that it is one. */
export const version = "v2.15.2";
export const standInVersion = `${version}-stand-in`;
export const label = "dev.harbor-ha.stand-in";
