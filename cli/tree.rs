//! `--tree DIR`: the design that a kernel tree has, in the place of one with an id.

use std::path::{Path, PathBuf};

use emu_arch::Arch;
use emu_tree::Tree;
use emu_tree::design::{TreeDesign, of_tree};
use lazy_mmu::design::Design;

use crate::args::Command;
use crate::report::{self, Failure};
use crate::values::Choice;

/// Puts the designs of the trees that the arguments name where those of `--design` are.
///
/// # Errors
/// A tree has no design that can be run.
pub(crate) fn load(command: &mut Command) -> Result<(), Failure> {
    match command {
        Command::Run(args) => one(&args.tree, args.arch.iter_mut(), &mut args.design),
        Command::Check(args) => one(&args.tree, args.arch.iter_mut(), &mut args.design),
        Command::Workload(args) => one(&args.tree, args.arch.iter_mut(), &mut args.design),
        Command::Replay(args) => one(&args.tree, args.arch.iter_mut(), &mut args.design),
        Command::Kunit(args) => one(&args.tree, args.arch.iter_mut(), &mut args.design),
        Command::Compare(args) => {
            // The code of one tree stands for all columns only where there is one.
            let tree = args.tree.first().filter(|_| args.tree.len() == 1);
            let named = args.arch.iter_mut().filter_map(|choice| match choice {
                Choice::One(arch) => Some(arch),
                Choice::All => None,
            });
            archs(tree.map(PathBuf::as_path), named)?;
            let trees = designs(args.tree.iter().map(PathBuf::as_path))?;
            args.design.extend(trees.into_iter().map(Choice::One));
            Ok(())
        }
        Command::Prove(args) if args.tree.is_empty() => Ok(()),
        Command::Prove(args) => {
            let trees = designs(args.tree.iter().map(PathBuf::as_path))?;
            let mut sides = args.design.into_iter().chain(trees).chain(args.against);
            (args.design, args.against) = (sides.next(), sides.next());
            match (args.against, sides.next()) {
                (Some(_), None) => Ok(()),
                (None, _) => {
                    let what = "--tree: expected --against ID, or a second --tree";
                    Err(Failure::Usage(what.to_owned()))
                }
                (Some(_), Some(_)) => {
                    let what = "prove compares two designs: of --design, --tree and --against";
                    Err(Failure::Usage(what.to_owned()))
                }
            }
        }
        Command::Demo
        | Command::Review(_)
        | Command::Conform(_)
        | Command::Book
        | Command::List(_)
        | Command::Completions(_)
        | Command::Man(_) => Ok(()),
    }
}

/// Takes design and architectures from the tree, if there is one.
fn one<'a>(
    tree: &Option<PathBuf>,
    named: impl Iterator<Item = &'a mut Arch>,
    design: &mut Option<Design>,
) -> Result<(), Failure> {
    if let Some(tree) = tree {
        archs(Some(tree), named)?;
        *design = Some(designs([tree.as_path()])?[0]);
    }
    Ok(())
}

/// Puts the code that a tree has in the place of the lab's own, for the architectures that the
/// arguments name. Standard error says which are the lab's.
fn archs<'a>(
    folder: Option<&Path>,
    archs: impl Iterator<Item = &'a mut Arch>,
) -> Result<(), Failure> {
    let Some(folder) = folder else { return Ok(()) };
    let tree = Tree::open(folder)?;
    for arch in archs {
        match emu_tree::arch::of_tree(&tree, *arch)? {
            Some(code) => *arch = code,
            None if arch.facts().defers.is_some() => {
                report::note(&format!("the code of {arch} is the lab's, not that of the tree"));
            }
            None => {}
        }
    }
    Ok(())
}

/// The designs of `folders`, each under a name of its own. Standard error says where a tree has
/// the hooks alone.
fn designs<'p>(folders: impl IntoIterator<Item = &'p Path>) -> Result<Vec<Design>, Failure> {
    let mut found: Vec<(PathBuf, Design)> = Vec::new();
    for folder in folders {
        let tree = Tree::open(folder)?;
        let place = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        let known = found.iter().find(|(known, _)| *known == place).map(|(_, design)| *design);
        let design = match known {
            Some(design) => design,
            None => {
                let design = of_tree(&tree, &id(&place, folder))?;
                if let TreeDesign::HooksAlone(design) = design {
                    report::note(&format!(
                        "{} has the hooks alone, as before v7.0: its design is {design}",
                        folder.display()
                    ));
                }
                design.design()
            }
        };
        found.push((place, design));
    }
    Ok(found.into_iter().map(|(_, design)| design).collect())
}

/// The name of the folder; all of what the user gave where that is the name of another design.
fn id(place: &Path, folder: &Path) -> String {
    let name = place.file_name().map(|name| name.to_string_lossy().into_owned());
    let free =
        name.filter(|name| Design::by_id(name).is_none() && !name.contains(char::is_whitespace));
    free.unwrap_or_else(|| folder.display().to_string())
}
