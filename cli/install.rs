//! `lazymmu completions` and `lazymmu man`: what a shell and `man` know of the command, from its
//! own definition.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::{Shell, generate};
use clap_mangen::Man;

use crate::io::print;
use crate::report::Failure;

/// Arguments of `lazymmu completions`.
#[derive(Args, Debug)]
#[command(after_help = COMPLETIONS)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

const COMPLETIONS: &str = "\
  lazymmu completions bash > ~/.local/share/bash-completion/completions/lazymmu
  lazymmu completions fish > ~/.config/fish/completions/lazymmu.fish
  lazymmu completions zsh > ~/.zfunc/_lazymmu";

/// Arguments of `lazymmu man`.
#[derive(Args, Debug)]
#[command(after_help = MAN)]
pub(crate) struct ManArgs {
    /// Write a page for the command and one for each subcommand to this folder; without it, the
    /// page of the command is printed
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

const MAN: &str = "\
  lazymmu man ~/.local/share/man/man1
  lazymmu man | man -l -";

/// Prints the completions of `command` for a shell.
pub(crate) fn completions(args: &CompletionsArgs, command: &Command) -> Result<ExitCode, Failure> {
    let (mut command, mut text) = (command.clone(), Vec::new());
    let name = command.get_name().to_owned();
    generate(args.shell, &mut command, name, &mut text);
    print(|to| to.write_all(&text))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints the page of `command`, or writes all pages.
pub(crate) fn man(args: &ManArgs, command: &Command) -> Result<ExitCode, Failure> {
    let mut command = command.clone();
    command.build();
    let Some(folder) = &args.folder else {
        let text = page(&command).map_err(|error| Failure::about("the page", error))?;
        print(|to| to.write_all(&text))?;
        return Ok(ExitCode::SUCCESS);
    };
    write(folder, &command).map_err(|error| Failure::about(folder.display(), error))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes the page of the command and of what is below it.
fn write(folder: &Path, command: &Command) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    fs::write(folder.join(format!("{name}.1")), page(command)?)?;
    let shown = command.get_subcommands().filter(|sub| sub.get_name() != "help");
    shown.filter(|sub| !sub.is_hide_set()).try_for_each(|sub| write(folder, sub))
}

fn page(command: &Command) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    Man::new(command.clone()).render(&mut text)?;
    Ok(text)
}
