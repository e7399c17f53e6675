/** The Pulumi release that is fetched or built; any other on PATH is used as it is. */
export const pulumiVersion = "3.259.0";
