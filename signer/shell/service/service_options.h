/*
 * service_options: what a service is told on its command line.
 */
#pragma once

struct service_options {
    const char *name;   /* "api" or "worker" */
    const char *listen; /* HOST:PORT */
    const char *names;  /* of hosts, separated by commas, that mean this service; NULL for none */
    const char *data;   /* folder of runs and manifests; made when missing */
    int ready_fd;       /* -1 for none */
    const char *port_file;
    unsigned threads;
    unsigned queue;
};
