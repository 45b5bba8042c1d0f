# Reduces a trace to what `lazymmu conform` reads: sed -nEf reduce.sed TRACE | xz -9e > OUT
# Times become 0.0, events that are not read go, and so do arguments that are not read.
/^#/d
s/^ +//
s/ +\[/ [/
s/(\] +[^ ]+) +[0-9.]+: /\1 0.0: /
/: (change_protection|change_pte_range|zap_vma_range|unmap_page_range|copy_page_range|move_page_tables|vmap_small|vmap_pages_range|vunmap|unmap_vmas|madv_(free|cold)_pte|clear_refs_pte|apply_to_page_range|tlb_(gather|finish|flush)_mmu|dup_mmap)(_ret)?: /d
/: (hcall_entry|xen_mc_callback|xen_mmu_(alloc|release)_ptpage|xen_mmu_pgd_(un)?pin|xen_mmu_write_cr3|xen_mmu_flush_tlb_[a-z_]+|flush_tlb_[a-z_]+|sched_migrate_task|sched_process_fork|exit_mmap|try_to_(migrate|unmap)_one|remove_migration_pte|folio_referenced_one|lru_gen_look_around|write_protect_page|shrink_folio_list|break_ksm): /d
/: xen_mc_flush: \(/d
s/(set_pte|set_pmd|set_pud|set_p4d): .*/\1: -/
s/(ptep_modify_prot_[a-z]+: mm [^ ]+ addr [^ ]+) .*/\1/
s/(xen_mc_entry: op [^ ]+) .*/\1/
s/ \([a-z_0-9]+\+0x[0-9a-f]+\/0x[0-9a-f]+\)//
s/ task=0x[0-9a-f]+//
s/(from=[a-zA-Z_0-9]+)\+0x[0-9a-f]+\/0x[0-9a-f]+/\1/
s/ (ptep|huge|psize|ssize|vpn|act|mask|local|dirty|entry|access|trap|new)=0x[0-9a-f]+//g
s/ (huge|psize|ssize|act|local|dirty)=[0-9]+//g
s/(prev_comm)=[^=]* (prev_pid=[0-9]+).* ==> .*(next_pid=[0-9]+).*/\2 ==> \3/
s/ flags=0x[0-9a-f]+//
p
