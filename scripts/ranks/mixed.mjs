// Gives each process of an MPI job another instruction set, in turn: those of EVENKEEL_MIXED_ISAS, by rank.
const { EVENKEEL_MIXED_ISAS: isas = '', OMPI_COMM_WORLD_RANK, PMI_RANK } = process.env;
const all = isas.split(',');
const isa = all[Number(OMPI_COMM_WORLD_RANK ?? PMI_RANK ?? 0) % all.length];
if (isas !== '') process.env.EVENKEEL_ISA = isa;
